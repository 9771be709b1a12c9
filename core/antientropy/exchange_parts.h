// What both sides of an exchange do alike.

#ifndef NORN_CORE_ANTIENTROPY_EXCHANGE_PARTS_H_
#define NORN_CORE_ANTIENTROPY_EXCHANGE_PARTS_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "core/node_context.h"
#include "core/replication/minter.h"

namespace norn {

// Has the store merge a record that came from another replica, labelled with `epoch`. False: it is
// not a record of `partition`, or of an epoch that is over, and is left alone. `over_damage`: also
// where what is there cannot be read.
inline bool SubmitMerge(const NodeContext& node, const Minter& minter, StepContext& step,
                        StoreTicket ticket, PartitionId partition, uint64_t epoch,
                        KeyRecord&& record, bool over_damage = false) {
  if (node.layout.PartitionOf(record.key) != partition ||
      !node.IsReplicaOf(node.self(), record.key, partition) ||
      !node.Takes(record.key, partition, epoch)) {
    return false;
  }
  StoreUpdate update;
  update.ticket = ticket;
  update.partition = partition;
  update.key = std::move(record.key);
  update.op = MergeOp{std::move(record.record), minter.NewestIn(partition)};
  update.over_damage = over_damage;
  step.out.store.emplace_back(std::move(update));
  return true;
}

// About what they take on the wire: for throttles and counters.
inline size_t BytesOf(const std::vector<KeyRecord>& records) {
  size_t bytes = 0;
  for (const KeyRecord& record : records) bytes += record.key.size() + record.record.size() + 8;
  return bytes;
}
inline size_t BytesOf(const TreeCompare& compare) { return 24 + 26 * compare.sums.size(); }
inline size_t BytesOf(const TreeAnswer& answer) { return 16 + 8 * answer.findings.size(); }
inline size_t BytesOf(const ExchangeOffer& offer) {
  return 32 + offer.from.size() + offer.to.size() + sizeof(uint64_t) * offer.digests.size();
}
inline size_t BytesOf(const ExchangeAnswer& answer) {
  return 24 + answer.covered_to.size() + BytesOf(answer.records) + 2 * answer.wanted.size();
}
inline size_t BytesOf(const ExchangeRecords& records) { return 8 + BytesOf(records.records); }

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_EXCHANGE_PARTS_H_
