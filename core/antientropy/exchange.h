// Exchange: two replicas of a partition compare what they hold, page by page, and mend
// what differs. Always on, throttled; it heals what requests and their repairs missed.
//
// The initiator, one partition and one peer at a time:
//
//   kIdle ──► kScanning ──► kOffered ──► kMerging ──► next page, or kIdle
//   pause     a page of      keys and     the peer's records are merged, and
//             our keys       hashes sent  what it wants is read and sent
//
// The receiver scans the same range, sends what the initiator lacks or has otherwise,
// and names what it wants. Both sides only ever merge, so a lost, doubled or stale
// message costs time, never data. No answer in time: the exchange is dropped.
//
// Cost: every key's hash travels once per exchange, so it follows the data, not the
// difference. Members that return after an absence are exchanged with first.

#ifndef NORN_CORE_ANTIENTROPY_EXCHANGE_H_
#define NORN_CORE_ANTIENTROPY_EXCHANGE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/minter.h"

namespace norn {

class Exchange {
 public:
  Exchange(NodeContext& node, const Membership& membership, const Minter& minter)
      : node_(node), membership_(membership), minter_(minter) {}

  void Start(StepContext& step);
  // Exchange everything shared with `peer` before anything else.
  void Hasten(NodeId peer);

  // Exchange `partition` with `peer`, from its start, without a pause, and say how it went. What
  // the peer holds when it is asked, be it merged or held already, is durable here then.
  void Demand(StepContext& step, PartitionId partition, NodeId peer);
  struct Finished {
    PartitionId partition = 0;
    NodeId peer = kNoNode;
    bool ok = false;        // all of it was merged
    bool complete = false;  // ok, and the peer was a complete replica throughout
  };
  std::vector<Finished> TakeFinished() { return std::exchange(finished_, {}); }

  // `complete`: we are a complete replica of the partition.
  void OnOffer(StepContext& step, NodeId from, ExchangeOffer&& offer, bool complete);
  void OnAnswer(StepContext& step, NodeId from, ExchangeAnswer&& answer);
  void OnRecords(StepContext& step, NodeId from, ExchangeRecords&& records);
  void OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  void OnTimer(StepContext& step);

  int64_t NextDeadline() const { return next_us_; }

 private:
  enum class Phase : uint8_t { kIdle, kScanning, kOffered, kMerging };

  struct Task {
    PartitionId partition = 0;
    NodeId peer = kNoNode;
    bool demanded = false;
    friend bool operator==(const Task&, const Task&) = default;
  };

  // An offer of another initiator, while we scan for it.
  struct Incoming {
    NodeId from = kNoNode;
    ExchangeOffer offer;
    bool complete = false;
  };

  bool PickTask();
  void ScanPage(StepContext& step);
  void OnScanned(StepContext& step, StoreReply&& reply);
  void OnMergedOrRead(StepContext& step, uint64_t id, StoreReply&& reply);
  void AnswerOffer(StepContext& step, const Incoming& incoming, const StoreReply& scan);
  // False: the record is not of this partition.
  bool Merge(StepContext& step, PartitionId partition, KeyRecord&& record, uint64_t id);
  void SendWanted(StepContext& step);
  void EndPage(StepContext& step);
  void EndTask(StepContext& step, bool ok);

  NodeContext& node_;
  const Membership& membership_;
  const Minter& minter_;

  Phase phase_ = Phase::kIdle;
  int64_t next_us_ = kNever;  // kIdle: when to begin; otherwise: when to give up
  Task task_;
  bool failed_ = false;         // something of the task could not be merged
  bool peer_complete_ = false;  // so far
  std::deque<Task> demanded_;
  std::vector<Finished> finished_;
  std::deque<Task> urgent_;
  std::vector<PartitionId> held_;           // partitions of ours that have other replicas
  size_t cursor_ = 0;                       // into held_: the next routine exchange
  RequestId request_ = 0;                   // of the page under way
  std::string from_;                        // where the page begins
  std::string covered_to_;                  // where the peer's answer ended
  std::set<uint64_t> merging_;              // store ids of the page's merges
  std::map<uint64_t, std::string> wanted_;  // store id -> key that the peer wants
  ExchangeRecords outgoing_;
  size_t outgoing_bytes_ = 0;

  std::map<uint64_t, Incoming> incoming_;  // by store id
  uint64_t next_id_ = 0;                   // of store requests: one is never mistaken for another
  uint64_t scan_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_EXCHANGE_H_
