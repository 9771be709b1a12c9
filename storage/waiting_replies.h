// Replies that wait until a sequence is durable, in order of their sequences; equal ones leave
// in the order in which they came.
//
// Replies of updates come with rising sequences, and are nearly all there are: they queue in
// O(1). A read of a record that is not durable yet waits for an older sequence: those few are
// kept apart, in a tree.

#ifndef NORN_STORAGE_WAITING_REPLIES_H_
#define NORN_STORAGE_WAITING_REPLIES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "core/store.h"

namespace norn::storage {

class WaitingReplies {
 public:
  void Add(uint64_t sequence, norn::StoreReply&& reply) {
    if (rising_.empty() || sequence >= rising_.back().first) {
      rising_.emplace_back(sequence, std::move(reply));
    } else {
      older_.emplace(sequence, std::move(reply));
    }
  }

  // Takes the first reply whose sequence is at most `durable`; false if there is none.
  bool Pop(uint64_t durable, norn::StoreReply* reply) {
    // An older one came after the update that it read.
    const bool from_rising =
        !rising_.empty() && (older_.empty() || rising_.front().first <= older_.begin()->first);
    if (from_rising) {
      if (rising_.front().first > durable) return false;
      *reply = std::move(rising_.front().second);
      rising_.pop_front();
      return true;
    }
    if (older_.empty() || older_.begin()->first > durable) return false;
    *reply = std::move(older_.begin()->second);
    older_.erase(older_.begin());
    return true;
  }

  bool empty() const { return rising_.empty() && older_.empty(); }

 private:
  std::deque<std::pair<uint64_t, norn::StoreReply>> rising_;
  std::multimap<uint64_t, norn::StoreReply> older_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_WAITING_REPLIES_H_
