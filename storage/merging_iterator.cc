#include "storage/merging_iterator.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::storage {

MergingIterator::MergingIterator(std::vector<std::unique_ptr<Iterator>> children)
    : children_(std::move(children)) {}

bool MergingIterator::IsBehind(size_t a, size_t b) const {
  const Iterator& x = *children_[a];
  const Iterator& y = *children_[b];
  const bool x_failed = x.state() == State::kError;
  const bool y_failed = y.state() == State::kError;
  const int order =
      (x_failed ? x.error_from() : x.key()).compare(y_failed ? y.error_from() : y.key());
  if (order != 0) return order > 0;
  // An error first: a newer value behind it might be the one that cannot be read.
  if (x_failed != y_failed) return y_failed;
  if (!x_failed && x.sequence() != y.sequence()) return x.sequence() < y.sequence();
  return a > b;
}

void MergingIterator::Rebuild() {
  heap_.clear();
  for (size_t i = 0; i < children_.size(); ++i) {
    if (children_[i]->state() == State::kStalled) {
      state_ = State::kStalled;
      return;
    }
    if (children_[i]->state() != State::kEnd) heap_.push_back(i);
  }
  std::make_heap(heap_.begin(), heap_.end(), [this](size_t a, size_t b) { return IsBehind(a, b); });
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
  const auto behind = [this](size_t a, size_t b) { return IsBehind(a, b); };
  const size_t moved = heap_.front();
  std::pop_heap(heap_.begin(), heap_.end(), behind);
  heap_.pop_back();
  children_[moved]->Next();
  switch (children_[moved]->state()) {
    case State::kStalled:
      state_ = State::kStalled;
      return;
    case State::kEntry:
    case State::kError:
      heap_.push_back(moved);
      std::push_heap(heap_.begin(), heap_.end(), behind);
      break;
    case State::kEnd:
      break;
  }
  SetState();
}

}  // namespace norn::storage
