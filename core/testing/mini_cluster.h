// A whole cluster on one thread for tests: real Hosts, stores in memory, a wire on which
// the test decides each message's fate, and a clock that moves only when told to.
//
// Deterministic: messages and store replies arrive in the order in which they were sent,
// or, with Shuffle(), in an order drawn from a seed.

#ifndef NORN_CORE_TESTING_MINI_CLUSTER_H_
#define NORN_CORE_TESTING_MINI_CLUSTER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/host.h"
#include "core/random.h"
#include "core/ring/layout.h"
#include "core/testing/memory_store.h"

namespace norn::testing {

struct MiniOptions {
  int nodes = 3;
  BucketConfig bucket;  // n, r, w as wanted
  std::vector<BucketConfig> more_buckets;
  std::vector<std::string> data_centers;  // of the nodes, in turn; none: all in one
  uint32_t partitions = 8;
  NodeOptions node;       // its id is set for each
  bool gossip = true;     // false: after the first meeting nobody speaks up
  bool exchange = false;  // background exchanges
  bool remove_tombstones = false;
  bool mend_damage = false;
  uint64_t seed = 1;
  bool start = true;  // all nodes, and let them meet
};

// What becomes of a message.
enum class Fate : uint8_t { kDeliver, kDrop, kDouble, kHold };

class MiniCluster {
 public:
  using Judge = std::function<Fate(NodeId from, NodeId to, const Message& message)>;
  using Trace = std::function<void(const std::string& line)>;

  explicit MiniCluster(const MiniOptions& options);
  ~MiniCluster();

  // ---- Lives of nodes
  void Start(NodeId id, bool doubtful = false);
  void Crash(NodeId id);
  void Wipe(NodeId id);  // of a node that is down
  bool IsUp(NodeId id) const { return At(id).host != nullptr; }
  NodeStatus Status(NodeId id) const;
  const Node& node(NodeId id) const;
  MemoryStore& store(NodeId id) { return *At(id).store; }
  void Deliver(NodeId id, Event&& event);

  // ---- Clients. The ticket finds the reply, once there is one.
  uint64_t Ask(NodeId id, ClientRequest request);
  const ClientReply* ReplyTo(uint64_t ticket) const;
  // Asks and lets time pass until there is a reply.
  ClientReply Call(NodeId id, ClientRequest request);
  size_t unanswered() const;

  // ---- The wire
  void SetJudge(Judge judge) { judge_ = std::move(judge); }
  void Shuffle(uint64_t seed) { shuffle_ = Random(seed); }
  size_t held() const { return held_.size(); }
  void ReleaseHeld();  // they travel on, and are not judged again
  uint64_t Sent(const std::string& message_name) const;

  // ---- Time
  void Settle();              // until nothing moves any more at this moment
  bool SettleOne();           // one message or store reply; false: nothing moves
  void Run(int64_t us);       // time passes, timers go off
  void FireTimers();          // those that are due now
  void FireEarly(NodeId id);  // a node's timer, though nothing is due: it is gone then
  // Until replicas agree; false: they did not within `most_us`.
  bool RunUntilEqual(int64_t most_us);
  int64_t now_us() const { return now_us_; }
  void Jump(int64_t us) { now_us_ += us; }  // and nobody notices, as in a pause
  // How far the node's wall clock is ahead of the others'.
  void SetWallSkew(NodeId id, int64_t us) { At(id).wall_skew_us = us; }
  int64_t wall_us(NodeId id) const;

  // ---- Looking in from outside
  const Layout& layout() const { return layout_; }
  const ClusterConfig& config() const { return config_; }
  PartitionId PartitionOf(const std::string& key, BucketId bucket = 0) const;
  std::vector<NodeId> ReplicasOf(const std::string& key, BucketId bucket = 0) const;
  NodeId NoReplicaOf(const std::string& key, BucketId bucket = 0) const;  // a node that holds none
  std::string RecordAt(NodeId id, const std::string& key, BucketId bucket = 0) const;
  // The record that `id` keeps of the key for others; empty: none.
  std::string HintAt(NodeId id, const std::string& key, BucketId bucket = 0) const;
  // Empty if all replicas of all keys hold the same bytes; else what differs.
  std::string Difference() const;
  void SetTrace(Trace trace) { trace_ = std::move(trace); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  class NodePorts;
  struct Machine {
    std::unique_ptr<MemoryStore> store;
    std::unique_ptr<NodePorts> ports;
    std::unique_ptr<Host> host;  // null: down
    int64_t armed_us = kNever;
    uint64_t lives = 0;
    int64_t wall_skew_us = 0;
  };
  struct Parcel {
    NodeId from;
    NodeId to;
    Message message;
    bool judged = false;
  };

  int NOf(BucketId bucket) const;
  Machine& At(NodeId id);
  const Machine& At(NodeId id) const;
  void Carry(Parcel&& parcel);
  bool DeliverStoreReply();
  void Say(const std::string& line) const;

  MiniOptions options_;
  ClusterConfig config_;
  Layout layout_;
  std::map<NodeId, Machine> machines_;
  std::deque<Parcel> wire_;
  std::vector<Parcel> held_;
  std::map<std::string, uint64_t> sent_;
  Judge judge_;
  Trace trace_;
  std::optional<Random> shuffle_;
  int64_t now_us_ = 1'000'000;
  uint64_t last_ticket_ = 0;
  std::map<uint64_t, std::optional<ClientReply>> replies_;
  std::vector<std::string> notes_;
};

// ---- Requests in few words (bucket 0)
ClientRequest Get(std::string key, int r = 0);
ClientRequest Put(std::string key, std::string value, int w = 0);
ClientRequest PutAfter(std::string key, std::string value, std::string context);
ClientRequest PutBeside(std::string key, std::string value);  // a sibling of all there is
ClientRequest Delete(std::string key);
ClientRequest In(BucketId bucket, ClientRequest request);  // the same in another bucket

// "ok 2: a, b", "unknown 1: timed out with ...".
std::string Describe(const ClientReply& reply);

}  // namespace norn::testing

#endif  // NORN_CORE_TESTING_MINI_CLUSTER_H_
