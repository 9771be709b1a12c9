// Replies to updates that are held back for a moment, because flushes and compactions lag
// (write_debt.h). They leave in the order in which they came.
//
// A value with no clock: it is told the time.

#ifndef NORN_STORAGE_DELAYED_REPLIES_H_
#define NORN_STORAGE_DELAYED_REPLIES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "core/store.h"
#include "core/types.h"

namespace norn::storage {

class DelayedReplies {
 public:
  // If `due_us` is before that of an earlier one, it leaves right behind that.
  void Add(int64_t due_us, norn::StoreReply&& reply) {
    queue_.emplace_back(due_us, std::move(reply));
  }

  // Takes the first reply that is due; false if there is none.
  bool Pop(int64_t now_us, norn::StoreReply* reply) {
    if (queue_.empty() || queue_.front().first > now_us) return false;
    *reply = std::move(queue_.front().second);
    queue_.pop_front();
    return true;
  }

  // When Pop() has something to give; kNever: there is nothing.
  int64_t NextDue() const { return queue_.empty() ? kNever : queue_.front().first; }
  size_t size() const { return queue_.size(); }

 private:
  std::deque<std::pair<int64_t, norn::StoreReply>> queue_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_DELAYED_REPLIES_H_
