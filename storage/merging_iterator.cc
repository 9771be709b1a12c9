#include "storage/merging_iterator.h"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/key_prefix.h"

namespace norn::storage {

MergingIterator::MergingIterator(std::vector<std::unique_ptr<Iterator>> children)
    : children_(std::move(children)) {}

void MergingIterator::Look(Runner* runner) const {
  const Iterator& child = *children_[runner->child];
  const absl::string_view key = child.state() == State::kError ? child.error_from() : child.key();
  runner->high = KeyPrefix(key);
  runner->low = key.size() > 8 ? KeyPrefix(key.substr(8)) : 0;
}

bool MergingIterator::IsBefore(const Runner& a, const Runner& b) const {
  if (a.high != b.high) return a.high < b.high;
  if (a.low != b.low) return a.low < b.low;
  const Iterator& x = *children_[a.child];
  const Iterator& y = *children_[b.child];
  const bool x_failed = x.state() == State::kError;
  const bool y_failed = y.state() == State::kError;
  const int order =
      (x_failed ? x.error_from() : x.key()).compare(y_failed ? y.error_from() : y.key());
  if (order != 0) return order < 0;
  // An error first: a newer value behind it might be the one that cannot be read.
  if (x_failed != y_failed) return x_failed;
  if (!x_failed && x.sequence() != y.sequence()) return x.sequence() > y.sequence();
  return a.child < b.child;
}

void MergingIterator::SiftDown(size_t at) {
  const Runner moved = heap_[at];
  for (;;) {
    size_t next = 2 * at + 1;
    if (next >= heap_.size()) break;
    if (next + 1 < heap_.size() && IsBefore(heap_[next + 1], heap_[next])) ++next;
    if (!IsBefore(heap_[next], moved)) break;
    heap_[at] = heap_[next];
    at = next;
  }
  heap_[at] = moved;
}

void MergingIterator::Rebuild() {
  heap_.clear();
  for (size_t i = 0; i < children_.size(); ++i) {
    if (children_[i]->state() == State::kStalled) {
      state_ = State::kStalled;
      return;
    }
    if (children_[i]->state() == State::kEnd) continue;
    Runner runner{.child = i};
    Look(&runner);
    heap_.push_back(runner);
  }
  for (size_t at = heap_.size() / 2; at > 0; --at) SiftDown(at - 1);
  SetState();
}

void MergingIterator::SetState() {
  if (heap_.empty()) {
    state_ = State::kEnd;
  } else {
    state_ = top().state();
  }
}

void MergingIterator::Seek(absl::string_view key) {
  for (const int stage : {1, 2, 3}) {
    for (const std::unique_ptr<Iterator>& child : children_) child->PrepareSeek(key, stage);
  }
  for (const std::unique_ptr<Iterator>& child : children_) child->Seek(key);
  Rebuild();
}

void MergingIterator::Resume() {
  for (const std::unique_ptr<Iterator>& child : children_) {
    if (child->state() == State::kStalled) child->Resume();
  }
  Rebuild();
}

void MergingIterator::Next() {
  Runner& moved = heap_.front();
  Iterator& child = *children_[moved.child];
  child.Next();
  switch (child.state()) {
    case State::kStalled:
      state_ = State::kStalled;
      return;
    case State::kEntry:
    case State::kError:
      Look(&moved);
      break;
    case State::kEnd:
      moved = heap_.back();
      heap_.pop_back();
      break;
  }
  if (!heap_.empty()) SiftDown(0);
  SetState();
}

}  // namespace norn::storage
