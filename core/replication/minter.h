// The minter: hands out dots, and never one twice.
//
// Per partition that this node holds it keeps an incarnation and a lease: counters up to
// `limit` were reserved durably, in the slot "lease", outside the log and its tail. After
// a restart counters go on behind the limit, whatever was really used. If the store may
// have forgotten records (a cut tail, damage, a wiped disk) the replica mints under new
// incarnations: an old one would make it cover dots it no longer holds (riak_kv #679).
//
//   slot := 0x01 varint(#leases) (varint(partition) fixed64(incarnation) varint(limit))*

#ifndef NORN_CORE_REPLICATION_MINTER_H_
#define NORN_CORE_REPLICATION_MINTER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/node_context.h"
#include "core/replication/partition_index.h"

namespace norn {

class Minter {
 public:
  explicit Minter(NodeContext& node) : node_(node) {}

  // Reads the recovered lease and asks for a new one for every partition held here.
  void Start(StepContext& step, const StoreRecovery& recovery);

  // Whether the lease that we had before this start was there.
  bool lease_found() const { return lease_found_; }
  // True once the first lease is durable.
  bool ready() const { return ready_; }

  // A fresh dot; false while the lease is being extended (ask again after OnStoreReply).
  bool TryMint(StepContext& step, PartitionId partition, Dot* dot);

  // The one that `partition`, held here, is minted under.
  Incarnation IncarnationIn(PartitionId partition) const { return NewestIn(partition).incarnation; }
  // The last dot that was given out under it; or, before the first, that could have been.
  Dot NewestIn(PartitionId partition) const;

  // Ends `incarnation`: a fresh dot of it was seen before. Nothing, if it is over already
  // (several puts can find out at once).
  void Retire(StepContext& step, PartitionId partition, Incarnation incarnation);

  // Begins a new incarnation in `partition`: dots of ours may be among what cannot be read. Nobody
  // is told by TakeRetired().
  void Renew(StepContext& step, PartitionId partition);
  // Whether that is durable: the old one will never be minted under again.
  bool IsLeased(PartitionId partition) const;

  // All of them: what the store holds is an older copy.
  void RetireAll(StepContext& step);

  // The answer to a slot write; true if minting may be tried again.
  bool OnStoreReply(StepContext& step, const StoreReply& reply);

  // Partitions that Retire() began a new incarnation in, since the last call.
  std::vector<PartitionId> TakeRetired() { return std::exchange(retired_, {}); }

  // When a failed slot write is tried again.
  int64_t NextDeadline() const { return retry_us_; }
  void OnTimer(StepContext& step);

 private:
  struct Lease {
    PartitionId partition = 0;
    Incarnation incarnation = 0;
    uint64_t used = 0;     // the last counter handed out
    uint64_t limit = 0;    // durably reserved
    uint64_t writing = 0;  // the limit in the slot write that is under way
    uint64_t wanted = 0;   // the limit that the next slot write is to reserve
  };

  Lease* Find(PartitionId partition);
  const Lease* Find(PartitionId partition) const;
  void Begin(Lease& lease);
  void Extend(StepContext& step, Lease& lease);
  void WriteSlot(StepContext& step);
  bool Decode(absl::string_view bytes);

  NodeContext& node_;
  std::vector<Lease> leases_;  // by partition, ascending
  PartitionIndex index_;       // of leases_
  std::vector<PartitionId> retired_;
  bool lease_found_ = false;
  bool ready_ = false;
  bool writing_ = false;
  int64_t retry_us_ = kNever;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_MINTER_H_
