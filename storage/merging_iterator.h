// Merges iterators into one: ascending keys, and of equal keys the newest first.
//
// While a child is stalled the whole is: nothing can be said about what comes next. An
// error of a child takes its place in the order, at the first key that it concerns.

#ifndef NORN_STORAGE_MERGING_ITERATOR_H_
#define NORN_STORAGE_MERGING_ITERATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/iterator.h"

namespace norn::storage {

class MergingIterator : public Iterator {
 public:
  // Of equal keys and sequences the earlier child's comes first.
  explicit MergingIterator(std::vector<std::unique_ptr<Iterator>> children);

  void Seek(absl::string_view key) override;
  void Next() override;
  void Resume() override;

  absl::string_view key() const override { return top().key(); }
  absl::string_view value() const override { return top().value(); }
  uint64_t sequence() const override { return top().sequence(); }
  EntryKind kind() const override { return top().kind(); }
  absl::Status status() const override { return top().status(); }
  absl::string_view error_from() const override { return top().error_from(); }
  absl::string_view error_until() const override { return top().error_until(); }

 private:
  // A child that is at an entry or an error, and the first sixteen bytes of where it stands:
  // mostly they tell the order, and the children need not be asked.
  struct Runner {
    uint64_t high = 0;
    uint64_t low = 0;
    size_t child = 0;
  };

  Iterator& top() const { return *children_[heap_.front().child]; }
  void Look(Runner* runner) const;
  // Whether runner `a` comes before runner `b`.
  bool IsBefore(const Runner& a, const Runner& b) const;
  // Restores the heap's order, which its element `at` alone may break, downwards.
  void SiftDown(size_t at);
  // Puts all children that are not at their end into the heap, unless one is stalled.
  void Rebuild();
  void SetState();

  std::vector<std::unique_ptr<Iterator>> children_;
  std::vector<Runner> heap_;  // the first in order at the front
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_MERGING_ITERATOR_H_
