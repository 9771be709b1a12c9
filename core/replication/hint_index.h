// Which hints this node holds, in memory: for whom, of which key, how large. The records lie in
// the store; after a restart one scan of the hint space builds the index anew.
//
// It answers for the limit on bytes: a write is admitted before it is submitted, with what it may
// add at most, and settled when the store has answered. And it tells a removal that was overtaken:
// an entry that was written again since the removal was submitted stays.
//
// Memory: an entry and its key for each hint, some 150 bytes. Every operation O(log hints), but
// for Oldest().

#ifndef NORN_CORE_REPLICATION_HINT_INDEX_H_
#define NORN_CORE_REPLICATION_HINT_INDEX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/types.h"

namespace norn {

class HintIndex {
 public:
  // The owner that it is kept for, and the record key.
  using Place = std::pair<NodeId, std::string>;

  // `partition_of`, of a record key: for CountOf(), which is not asked without it.
  explicit HintIndex(uint64_t bytes_max,
                     std::function<PartitionId(const std::string& key)> partition_of = nullptr)
      : bytes_max_(bytes_max), partition_of_(std::move(partition_of)) {}

  // What a hint takes of the limit, besides its key and its record.
  static constexpr uint64_t kOverheadBytes = 64;

  // A write of a hint whose record grows by `record_bytes` at most is about to be submitted. False:
  // there is no room for it, and nothing changed.
  bool Admit(const Place& place, uint64_t record_bytes);

  // Such a write was answered. `record_bytes` is what the hint's record has now.
  void Stored(const Place& place, uint64_t admitted_bytes, uint64_t record_bytes, int64_t time_us);
  void Refused(const Place& place, uint64_t admitted_bytes);

  // Found in the store at the start.
  void Found(const Place& place, uint64_t record_bytes, int64_t time_us);

  // How often it was written: for Removed(). 0: it is not here.
  uint64_t WritesOf(const Place& place) const;
  // It is not in the store any more, unless it was written since it had so many writes.
  void Removed(const Place& place, uint64_t writes);

  // The first hint for `owner` behind `key` ("": from the start) that is in the store. Null: none.
  const Place* Next(NodeId owner, const std::string& key) const;
  // The least owner above `owner` that anything is kept for; kNoNode: none.
  NodeId NextOwner(NodeId owner) const;

  // How many of this partition it keeps, or may keep in a moment. O(log partitions).
  uint64_t CountOf(PartitionId partition) const;

  bool empty() const { return entries_.empty(); }
  uint64_t count() const { return entries_.size(); }
  uint64_t bytes() const { return bytes_; }
  uint64_t BytesOf(const Place& place) const;
  // The time that its last write gave, 0 if it is not here.
  int64_t WrittenAt(const Place& place) const;
  // The least of the times that the writes gave; 0: there is nothing.
  // O(hints).
  int64_t Oldest() const;

 private:
  struct Entry {
    uint64_t bytes = 0;      // of the limit; without what is admitted and not answered
    uint64_t writes = 0;     // submitted, ever
    uint64_t under_way = 0;  // of those
    bool stored = false;
    int64_t time_us = 0;
  };

  Entry& Enter(const Place& place);
  // Settles one write under way.
  Entry& Settle(const Place& place, uint64_t admitted_bytes);
  void Erase(std::map<Place, Entry>::iterator it);

  const uint64_t bytes_max_;
  const std::function<PartitionId(const std::string& key)> partition_of_;
  std::map<Place, Entry> entries_;
  std::map<PartitionId, uint64_t> counts_;  // of entries; none is 0
  uint64_t bytes_ = 0;                      // with what is admitted
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_HINT_INDEX_H_
