// What the core asks of its storage, and what comes back.
//
// Storage is told what to do to a record, not what to write: an update names a pure
// function of the core (core/replication/record_ops.h), which the store runs on the
// newest applied record under that key's latch. Two updates of one key take effect in
// the order in which they were submitted, and the second sees the first. No reply
// derived from a record comes back before that record is durable.
//
// Order of replies: the reply of a scan comes after the replies of all changes that the page
// shows, and before those of all changes of its keys that it does not show. So who adds up what a
// scan finds, and what changed behind the scan, counts everything once
// (antientropy/merkle_forest.h).

#ifndef NORN_CORE_STORE_H_
#define NORN_CORE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "core/causality/version_vector.h"
#include "core/messages.h"
#include "core/record_hash.h"
#include "core/types.h"

namespace norn {

// Chosen by the node; repeated in the reply.
using StoreTicket = uint64_t;

// Merge a record from elsewhere into what is there.
struct MergeOp {
  std::string record;  // canonical encoding
  // The newest dot that this replica has given out: if the record holds later ones of the same
  // incarnation, the replica has forgotten that it minted them. Counter 0 and no incarnation: it
  // is no replica.
  Dot own = {};
};

// Put one new version, with a dot that was never used before.
struct MintOp {
  Dot dot;
  int64_t wall_us = 0;  // the minting replica's clock
  bool tombstone = false;
  ClientRequest::Base base = ClientRequest::Base::kCurrent;
  VersionVector context;        // Base::kToken
  int64_t context_wall_us = 0;  // Base::kToken: the newest timestamp that the client has seen
  std::string value;
  int64_t expires_us = 0;  // wall time; 0: never

  // Of a bucket with ConflictPolicy::kLww, and how far ahead of `wall_us` its newest timestamp
  // may be.
  bool last_writer_wins = false;
  int64_t max_clock_skew_us = 0;

  size_t siblings_max = 0;
  size_t record_bytes_max = SIZE_MAX;
  size_t context_entries_max = SIZE_MAX;
  size_t prune_entries_above = 0;  // 0: never
};

// Of hints (core/replication/hint_record.h), in kHintSpace only: one entry for each key, with the
// record and the owners that it is kept for.

// Merge a record into the hint, and keep it for `owner` as well.
struct HintMergeOp {
  NodeId owner = kNoNode;
  std::string record;
};

// Put a new version into the hint's record, and keep it for `owner` as well.
struct HintMintOp {
  NodeId owner = kNoNode;
  MintOp mint;
};

// `owner` has the record with this hash: keep the hint for it no longer, if it still holds that
// record and nothing else. Without an owner it goes.
struct HintRemoveOp {
  NodeId owner = kNoNode;
  RecordHash hash;
};

// The record is to go, if it is still the one with this hash (HashOf(), record_ops.h).
struct RemoveOp {
  RecordHash hash;
};

using RecordOp = std::variant<MergeOp, MintOp, HintMergeOp, HintMintOp, HintRemoveOp, RemoveOp>;

struct StoreUpdate {
  StoreTicket ticket = 0;
  PartitionId partition = 0;  // or kHintSpace, here and below
  std::string key;            // record key
  RecordOp op;
  bool record_wanted = false;  // the reply is to carry the record that results
  // A MergeOp: a record that is there and cannot be read (kDataLoss) counts as absent, instead of
  // failing the update. For repairs only: what it held is given up for what the replicas have. The
  // change that it reports is no news of what was there before.
  bool over_damage = false;
};

struct StoreRead {
  StoreTicket ticket = 0;
  PartitionId partition = 0;
  std::string key;
};

// A page of a partition in the order of its cursors (ring/position.h): by position, then by
// key; from the cursor `from` on, up to (not including) `to` if not empty.
struct StoreScan {
  StoreTicket ticket = 0;
  PartitionId partition = 0;
  std::string from;
  std::string to;
  size_t entries_max = 0;
  size_t bytes_max = 0;
};

// Replaces a small named value durably, outside the log.
struct StoreSlot {
  StoreTicket ticket = 0;
  std::string name;
  std::string bytes;
};

// Asks which keys cannot be read, for certain and until they are excised: DamagedCursors, in
// StoreReply::damaged. Of the partitions below `partitions` and kHintSpace: between them are no
// keys, though a damaged range may go across.
struct StoreDamage {
  StoreTicket ticket = 0;
  uint32_t partitions = 0;
};

// Keys of one partition, a range of its cursors, of which the store has lost something: each reads
// as an error, unless it was written behind `sequence`.
struct DamagedCursors {
  PartitionId partition = 0;  // or kHintSpace
  std::string from;           // cursor
  std::string to;             // cursor; empty: the end of the partition
  uint64_t sequence = 0;

  friend bool operator==(const DamagedCursors&, const DamagedCursors&) = default;
};

// What is damaged there is given up for good: the replicas' records have been merged over it
// (StoreUpdate::over_damage). From the reply on, if it is OK, keys that nothing was merged for are
// absent, and no older record of theirs shows. Not OK (kUnavailable): in doubt until the next
// start.
struct StoreExcise {
  StoreTicket ticket = 0;
  DamagedCursors damaged;  // as the store told it
};

using StoreRequest =
    std::variant<StoreUpdate, StoreRead, StoreScan, StoreSlot, StoreDamage, StoreExcise>;

// What an applied update changed.
struct RecordChange {
  uint64_t sequence = 0;  // of the store: rises with every change, across restarts
  PartitionId partition = 0;
  std::string key;    // record key
  RecordHash before;  // of the record that was replaced; absent: there was none
  RecordHash after;
};

// One for each request. `status` codes: kOk; kDataLoss and kUnavailable: the record could
// not be read or the write is in doubt, nothing may be concluded; kResourceExhausted: not
// applied, the store is full or behind; kInvalidArgument: the record function refused, not
// applied (message says why); kAborted: the same, because the dot was seen before, or because
// the hint to be removed has changed; kFailedPrecondition: the same, because the minting
// replica's clock does not permit it.
struct StoreReply {
  StoreTicket ticket = 0;
  absl::Status status;
  bool applied = false;                // an update: the function ran and its result is in memory,
                                       // so it may survive even if `status` is an error
  std::string record;                  // a read, or an update that wanted it; empty: absent
  std::optional<RecordChange> change;  // an update that changed the record
  std::vector<KeyRecord> entries;      // a scan
  bool scan = false;                   // it answers one
  std::string next;  // a scan: the cursor where the next page starts; empty: the end. After an
                     // error: behind what cannot be read, if that is known
  std::vector<DamagedCursors> damaged;  // StoreDamage: by partition, then by cursor
  // A merge showed dots of ours that we never gave out, in `partition`: see MergeOp::own.
  Incarnation forgotten = 0;
  PartitionId partition = 0;
};

// What was found on the disk at the start.
struct StoreRecovery {
  bool created = false;        // there was nothing
  bool doubtful = false;       // a tail was cut, or damage was seen: dots of ours may be forgotten
  std::string lease;           // slot "lease", empty if absent
  std::string identity;        // slot "identity", empty if absent
  std::string standing;        // slot "standing", empty if absent
  std::string merkle;          // slot "merkle", empty if absent
  uint64_t last_sequence = 0;  // of the newest change that was recovered
};

}  // namespace norn

#endif  // NORN_CORE_STORE_H_
