// Our part as a stand-in, in sloppy buckets: what is written, minted and read here in the stead
// of replicas that cannot be reached. Handing it over is hint_handoff.h's.
//
// A hint is durable before it is acknowledged. Every hint that is acknowledged is taken for one
// that counts toward a W, since a stand-in cannot know: so none is ever dropped, whatever its age,
// and the limit on their bytes is kept by refusing new ones (kOverloaded) before anything is done.
// Until the hints of an earlier life have been found, new ones are refused, too: the limit could
// not be judged. And so they are while we may have promised to keep none of theirs
// (stand_in_epochs.h); those that are older than what we promised are refused with kStale.
//
// Refused with kRefused: hints of strict buckets (only replicas count there), for ourselves, and
// of keys that we hold a replica of; what is for no replica, or came under another layout, with
// kWrongLayout.

#ifndef NORN_CORE_REPLICATION_HINT_MACHINE_H_
#define NORN_CORE_REPLICATION_HINT_MACHINE_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "core/node_context.h"
#include "core/replication/hint_index.h"
#include "core/replication/stand_in_minter.h"

namespace norn {

class HintMachine {
 public:
  explicit HintMachine(NodeContext& node);

  // Looks for the hints of earlier lives.
  void Start(StepContext& step);

  // What other coordinators ask of us; `hint_for` is set.
  void OnWrite(StepContext& step, NodeId from, ReplicaWrite&& write);
  void OnRead(StepContext& step, NodeId from, ReplicaRead&& read);

  // For a put that we coordinate as a stand-in for `owner`, under a dot of minter(). False: there
  // is no room, and nothing was done.
  bool Mint(StepContext& step, NodeId owner, const std::string& key, MintOp&& mint, RequestId put);
  // For a get that we coordinate: what we hold of the key. Replicas refuse hints below `floor`.
  void Read(StepContext& step, const std::string& key, RequestId get, uint64_t floor);

  // That it keeps no hint of the partition, and none is on its way to the disk. False also while
  // some that may be there could not be read. O(hints).
  bool KeepsNothingOf(PartitionId partition) const;

  // A put's or a get's own request that was answered: its machine goes on with it. `record` of
  // the reply is the record, without what a hint is beside it.
  struct Answered {
    enum class Kind : uint8_t { kNothing, kPut, kGet };
    Kind kind = Kind::kNothing;
    RequestId id = 0;
    uint64_t epoch = 0;  // kGet: the label of what was read (stand_in_epochs.h)
    StoreReply reply;
  };
  Answered OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);

  // A damaged hint space is looked into again.
  int64_t NextDeadline() const { return rescan_us_; }
  void OnTimer(StepContext& step);

  // Requests of others that are not answered yet.
  size_t in_flight() const { return in_flight_; }
  HintIndex& index() { return index_; }
  const HintIndex& index() const { return index_; }
  StandInMinter& minter() { return minter_; }

 private:
  enum class Purpose : uint8_t { kScan, kWrite, kRead, kMint, kOwnRead };

  struct Pending {
    Purpose purpose = Purpose::kScan;
    NodeId from = kNoNode;   // kWrite, kRead
    RequestId request = 0;   // theirs, or our put's or get's
    HintIndex::Place place;  // kWrite, kMint
    uint64_t admitted_bytes = 0;
    uint64_t epoch = 0;  // kRead, kOwnRead: ours when the store was asked
  };

  ReplicaStatus Admit(uint64_t layout, PartitionId partition, absl::string_view key,
                      NodeId owner) const;
  bool Submit(StepContext& step, Pending&& pending, uint64_t record_bytes, RecordOp&& op);
  void SubmitRead(StepContext& step, Pending&& pending, const std::string& key);
  void Scan(StepContext& step, std::string from);
  void OnScanned(StepContext& step, const StoreReply& reply);
  void Settle(const Pending& pending, const StoreReply& reply);

  NodeContext& node_;
  HintIndex index_;
  StandInMinter minter_;
  absl::flat_hash_map<uint64_t, Pending> pending_;  // by store id
  uint64_t next_id_ = 0;
  size_t in_flight_ = 0;
  bool ready_ = false;
  bool unread_ = false;   // some of the space, in the look that is under way
  bool damaged_ = false;  // ... some of what was read
  bool all_found_ = false;
  std::string scan_from_;  // where to go on
  int64_t rescan_us_ = kNever;
};

// The newest wall time among the versions of a record; 0: none, or it is damaged.
int64_t NewestWall(absl::string_view record);

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_HINT_MACHINE_H_
