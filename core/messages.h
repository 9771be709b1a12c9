// What nodes say to each other: plain values. net/codec carries them as protobuf; a
// message may be lost, delayed, doubled and overtaken, and every machine that sends
// one is written for that.
//
// Replies repeat the request's id. A RequestId is unique among all requests of all
// generations of its sender (NodeContext::NextRequestId), so an answer to a dead request
// finds nobody.

#ifndef NORN_CORE_MESSAGES_H_
#define NORN_CORE_MESSAGES_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/causality/version_vector.h"
#include "core/client.h"
#include "core/types.h"

namespace norn {

// How a replica's part in a request ended. An error is never an absent record.
enum class ReplicaStatus : uint8_t {
  kOk = 0,
  kError = 1,        // the store failed: nothing is known of the record
  kWrongLayout = 2,  // the partition is not this node's under the sender's layout
  kOverloaded = 3,   // refused before anything was done
  kRefused = 4,      // a forward meant for another generation of this node; a hint that this
                     // node must not hold
  kIncomplete = 5,   // the replica may have forgotten what it is asked for (replication/standing.h)
  kStale = 6,        // the record is of an epoch that is over (replication/epochs.h)
};

// What a replica may do: replication/standing.h.
enum class StandingLevel : uint8_t {
  kNew = 0,       // acknowledges nothing
  kTaking = 1,    // acknowledges writes, answers no reads
  kComplete = 2,  // answers reads, too
};

// The sender knows that the node in this incarnation lives under it, in the partition at hand.
struct Fence {
  Incarnation incarnation = 0;
  friend bool operator==(const Fence&, const Fence&) = default;
};

// ---- Membership -----------------------------------------------------------------

struct MemberHeartbeat {
  NodeId id = kNoNode;
  Generation generation = 0;
  uint64_t heartbeat = 0;
};

// `by` has not seen `suspect` go past (generation, heartbeat) for its suspicion time.
struct Suspicion {
  NodeId suspect = kNoNode;
  NodeId by = kNoNode;
  Generation generation = 0;
  uint64_t heartbeat = 0;
};

struct Gossip {
  std::vector<MemberHeartbeat> members;
  std::vector<Suspicion> suspicions;
  bool answer_wanted = false;  // push-pull: the receiver sends its own list back
};

// ---- Replica reads and writes ----------------------------------------------------

// Merge `record` (whole, never a single new value) into what the replica has.
struct ReplicaWrite {
  RequestId request = 0;
  uint64_t layout = 0;
  PartitionId partition = 0;
  std::string key;            // record key
  std::string record;         // canonical encoding, core/causality/record.h
  NodeId hint_for = kNoNode;  // the receiver stands in for this replica, and keeps a hint;
                              // kNoNode: it is a replica itself
  uint64_t epoch = 0;         // that the record is of (replication/epochs.h), here and below
  int64_t remaining_us = 0;   // until nobody waits for the reply, when this was sent; 0: never
};

// kOk is sent only when the merged record, or the hint, is durable. A stand-in, which is no replica
// of the partition, names no life and no fences.
struct ReplicaWriteReply {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;
  Incarnation life = 0;       // kOk: the life that it was acknowledged in
  std::vector<Fence> fences;  // kOk: what the sender knew of the others then
  uint64_t epoch = 0;         // kStale: the sender's
};

struct ReplicaRead {
  RequestId request = 0;
  uint64_t layout = 0;
  PartitionId partition = 0;
  std::string key;
  NodeId hint_for = kNoNode;  // what the receiver keeps in this replica's stead
  uint64_t epoch = 0;         // the reply is to be of this one, or a later one
  uint64_t digest_above = 0;  // of a record of more bytes the digest will do; 0: never
  int64_t remaining_us = 0;   // as in ReplicaWrite
};

struct ReplicaReadReply {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;
  std::string record;         // kOk: the durable record; empty: never written here
  Incarnation life = 0;       // kOk: as in ReplicaWriteReply
  std::vector<Fence> fences;  // kOk
  uint64_t epoch = 0;         // kOk
  // kOk, and not both 0: the hash of the durable record (causality/record_hasher.h), in its stead.
  uint64_t digest_high = 0;
  uint64_t digest_low = 0;
};

// ---- Standing: replicas tell each other of their lives ----------------------------

// The number tells which life is the newer one.
struct KnownLife {
  uint64_t number = 0;  // 0: none is known
  Incarnation incarnation = 0;
};

struct ReplicaLife {
  PartitionId partition = 0;
  KnownLife life;
};

// "These are my lives: note them, durably, before you answer."
struct Introduction {
  RequestId request = 0;
  uint64_t layout = 0;
  std::vector<ReplicaLife> lives;
  // Besides, partitions whose epochs the sender wants to know, as a stand-in.
  std::vector<uint32_t> asked;
};

// How the answerer stands in a partition, and the lives of all its replicas that it knows.
struct ReplicaStanding {
  PartitionId partition = 0;
  StandingLevel level = StandingLevel::kNew;
  std::vector<KnownLife> lives;
  bool empty = false;  // it was created empty and has taken nothing yet
  uint64_t epoch = 0;
  uint64_t floor = 0;  // replication/stand_in_epochs.h
};

struct IntroductionAnswer {
  RequestId request = 0;
  std::vector<ReplicaStanding> standings;
};

// ---- Forwarding: a coordinator that is no replica lets one coordinate -------------

struct Forward {
  RequestId request = 0;
  uint64_t sequence = 0;  // of this sender's forwards to this receiver, from 1
  Generation sender_generation = 0;
  Generation receiver_generation = 0;  // another generation refuses
  uint64_t layout = 0;
  int64_t remaining_us = 0;  // deadlines travel as remaining time
  ClientRequest operation;   // kPut or kDelete; its `client` is not sent
};

struct ForwardReply {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;  // kOk: `reply` holds the outcome
  ClientReply reply;                             // its `client` is not sent
};

// ---- Exchange: two replicas of a partition compare and mend ----------------------

// A node of the sender's Merkle tree of a partition (antientropy/merkle_tree.h).
struct TreeSum {
  PartitionId partition = 0;
  uint32_t node = 0;  // numbered as in a heap, from 1
  uint64_t high = 0;  // sum of the hashes below it
  uint64_t low = 0;
};

// "Are yours the same?" Of as many partitions as fit.
struct TreeCompare {
  RequestId request = 0;
  uint64_t layout = 0;
  std::vector<TreeSum> sums;
};

// What there is to say of one of them.
struct TreeFinding {
  uint32_t index = 0;       // into TreeCompare::sums
  uint32_t depth = 0;       // how deep the receiver's tree of the partition is
  bool differs = false;     // its sum is another, or its tree does not go so deep
  bool unknown = false;     // it has no tree of the partition yet
  bool damaged = false;     // it cannot read all it should hold of the partition
  bool incomplete = false;  // it is no complete replica of the partition (StandingLevel)
};

// Nothing is said of sums that are the same, and those of a complete replica.
struct TreeAnswer {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;
  std::vector<TreeFinding> findings;  // rising indexes
};

struct KeyHash {
  std::string key;    // record key
  uint64_t high = 0;  // keyed 128-bit hash of the canonical record
  uint64_t low = 0;
};

struct KeyRecord {
  std::string key;
  std::string record;
};

// What stands for a key and its record in one offer: 64 bits made of the 128 of their hash, by the
// offer's number. Of two that differ, one in 2^64 looks like the other, and not in the next offer.
constexpr uint64_t KeyDigest(uint64_t high, uint64_t low, RequestId request) {
  return high * (2 * request + 1) + low;
}

// The sender's keys of the partition in [from, to), in the order of their cursors
// (ring/position.h), as digests. `from` and `to` are cursors; `to` empty: to the end.
struct ExchangeOffer {
  RequestId request = 0;
  uint64_t layout = 0;
  PartitionId partition = 0;
  std::string from;
  std::string to;
  std::vector<uint64_t> digests;
  uint64_t epoch = 0;  // the sender's
};

// What the receiver of an offer has and its sender lacks or has otherwise, and what it wants.
struct ExchangeAnswer {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;
  PartitionId partition = 0;
  std::vector<KeyRecord> records;
  std::vector<uint32_t> wanted;  // indexes into the offer, rising; those of keys from covered_to on
                                 // say nothing
  std::string
      covered_to;         // the answer speaks of [from, covered_to); empty: of all that was offered
  bool complete = false;  // the receiver of the offer is a complete replica
  uint64_t epoch = 0;
};

// Records that the other side wanted. Merged; not answered (the next exchange tells).
struct ExchangeRecords {
  uint64_t layout = 0;
  PartitionId partition = 0;
  std::vector<KeyRecord> records;
  uint64_t epoch = 0;
};

// ---- Removal of tombstones (replication/tombstone_collector.h) --------------------

// "Do you hold exactly these dead records?" The hashes are those of RemoveOp.
struct TombstoneOffer {
  RequestId request = 0;
  uint64_t layout = 0;
  PartitionId partition = 0;
  std::vector<KeyHash> entries;
};

struct TombstoneAnswer {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;  // kOk: all is said of complete replicas
  Incarnation life = 0;
  uint64_t epoch = 0;
  std::vector<std::string> others;  // keys of the offer whose records are not the same here
};

// "From now on, durably, take no record of an older epoch than this."
struct EpochRaise {
  RequestId request = 0;
  uint64_t layout = 0;
  PartitionId partition = 0;
  uint64_t epoch = 0;
  Incarnation life = 0;  // that the receiver gave its answer in
  bool floor = false;    // all members have confirmed: no hint of an older one either
  // Those that the others gave theirs in. Who knows of another life of one of them refuses.
  std::vector<Fence> lives;
};

struct EpochAnswer {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;
};

// "Promise, durably, to take no hint of an older epoch, and that you keep none"
// (replication/stand_in_epochs.h). With a session: "are you the process that promised?"
struct HintAttest {
  RequestId request = 0;
  uint64_t layout = 0;
  PartitionId partition = 0;
  uint64_t epoch = 0;
  uint64_t session = 0;  // 0: promise
};

struct HintAttestation {
  RequestId request = 0;
  ReplicaStatus status = ReplicaStatus::kError;  // kOverloaded: it keeps hints, or may
  uint64_t session = 0;                          // kOk: of the process
  uint64_t epoch = 0;                            // kStale: it has promised as much before
};

// "All replicas held these, and take nothing older: remove them, if they are still the same."
// Not answered.
struct TombstoneRemoval {
  uint64_t layout = 0;
  PartitionId partition = 0;
  std::vector<KeyHash> entries;
};

using Message =
    std::variant<Gossip, ReplicaWrite, ReplicaWriteReply, ReplicaRead, ReplicaReadReply, Forward,
                 ForwardReply, ExchangeOffer, ExchangeAnswer, ExchangeRecords, TreeCompare,
                 TreeAnswer, Introduction, IntroductionAnswer, TombstoneOffer, TombstoneAnswer,
                 EpochRaise, EpochAnswer, TombstoneRemoval, HintAttest, HintAttestation>;

// "ReplicaWrite" and so on, for traces.
const char* MessageName(const Message& message);

}  // namespace norn

#endif  // NORN_CORE_MESSAGES_H_
