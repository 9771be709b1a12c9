// Demands and dirty marks: exchanges that somebody asks for. Replicas here are no whole
// nodes: only their trees, exchanges and stores.

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/antientropy/exchange.h"
#include "core/antientropy/exchange_server.h"
#include "core/causality/record.h"
#include "core/testing/memory_store.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::MemoryStore;

constexpr int64_t kAnHour = 3'600'000'000;

std::string MakeRecord(NodeId node, uint64_t counter) {
  Record record;
  Version version;
  version.dot = {MakeIncarnation(node, 1), counter};
  version.value = "value";
  record.Put(version, VersionVector());
  return record.Encode();
}

NodeOptions Rare() {
  NodeOptions options;
  options.exchange_interval_us = kAnHour;
  return options;
}

class Replicas {
 public:
  // Routine exchanges are too rare to matter, unless the options say otherwise.
  explicit Replicas(NodeOptions options = Rare()) {
    cluster_.name = "test";
    cluster_.secret = "secret";
    cluster_.partitions = 4;
    for (NodeId id = 1; id <= 3; ++id) {
      MemberConfig member;
      member.id = id;
      member.address = "n" + std::to_string(id);
      cluster_.members.push_back(std::move(member));
    }
    cluster_.buckets.front().n = 2;
    options.tree_bucket_keys = 2;
    for (NodeId id = 1; id <= 3; ++id) {
      options.id = id;
      replicas_[id] = std::make_unique<Replica>(cluster_, options);
    }
  }

  void Start(NodeId id) {
    Replica& replica = *replicas_.at(id);
    Do(id, [&](StepContext& step) {
      replica.minter.Start(step, replica.store.Recover(false));
      replica.forest.Start(step, replica.store.Recover(false), 0);
      replica.exchange.Start(step);
    });
  }
  void StartAll() {
    for (NodeId id = 1; id <= 3; ++id) Start(id);
    Settle();
  }
  // A key of a partition that nodes `one` and `other` share.
  std::string KeyOf(NodeId one, NodeId other, int number) const {
    for (int i = 0;; ++i) {
      std::string key = MakeRecordKey(0, std::to_string(number) + "." + std::to_string(i));
      const PartitionId partition = PartitionOf(key);
      if (layout().IsReplica(partition, one) && layout().IsReplica(partition, other)) return key;
    }
  }
  const Layout& layout() const { return replicas_.at(1)->context.layout; }
  PartitionId PartitionOf(const std::string& key) const { return layout().PartitionOf(key); }
  void Write(NodeId id, const std::string& key, const std::string& record) {
    StoreUpdate update;
    update.key = key;
    update.partition = PartitionOf(key);
    update.op = MergeOp{record, Dot()};
    replicas_.at(id)->store.Submit(std::move(update));
    Settle();
  }
  uint64_t Demand(NodeId id, PartitionId partition, NodeId peer) {
    uint64_t demand = 0;
    Do(id, [&](StepContext& step) {
      demand = replicas_.at(id)->exchange.Demand(step, partition, peer);
    });
    return demand;
  }
  void MarkDirty(NodeId id, PartitionId partition, NodeId peer) {
    replicas_.at(id)->exchange.MarkDirty(partition, peer);
  }
  std::vector<FinishedDemand> Finished(NodeId id) {
    return replicas_.at(id)->exchange.TakeFinished();
  }
  std::string RecordAt(NodeId id, const std::string& key) {
    return replicas_.at(id)->store.Get(PartitionOf(key), key);
  }
  MemoryStore& store(NodeId id) { return replicas_.at(id)->store; }
  const NodeStatus& status(NodeId id) const { return replicas_.at(id)->context.status; }
  void SetIncomplete(NodeId id) { replicas_.at(id)->complete = false; }
  void SetDeaf(NodeId id, bool deaf) { replicas_.at(id)->deaf = deaf; }

  void Settle() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (auto& [id, replica] : replicas_) {
        while (replica->store.ready() > 0) {
          moved = true;
          TakeStoreReply(id, replica->store.TakeReply(0));
        }
        if (std::min(replica->exchange.NextDeadline(), replica->forest.NextDeadline()) <=
            now_.monotonic_us) {
          moved = true;
          Do(id, [&r = *replica](StepContext& step) {
            r.exchange.OnTimer(step);
            r.forest.OnTimer(step, false);
          });
        }
      }
      while (!wire_.empty()) {
        moved = true;
        Parcel parcel = std::move(wire_.front());
        wire_.pop_front();
        Take(std::move(parcel));
      }
    }
  }
  void Run(int64_t us) {
    for (const int64_t end_us = now_.monotonic_us + us; now_.monotonic_us < end_us;) {
      now_.monotonic_us += 10'000;
      Settle();
    }
  }

 private:
  struct Replica {
    Replica(const ClusterConfig& cluster, const NodeOptions& options)
        : context(cluster, options),
          membership(context),
          minter(context),
          forest(context),
          throttle(options.exchange_bytes_per_second),
          exchange(context, membership, minter, forest, throttle),
          server(context, minter, forest, throttle,
                 [this](PartitionId, const std::string&, const std::string&) { return complete; }),
          store(context.hasher) {}

    NodeContext context;
    Membership membership;
    Minter minter;
    MerkleForest forest;
    ByteThrottle throttle;
    Exchange exchange;
    ExchangeServer server;
    MemoryStore store;
    bool deaf = false;
    bool complete = true;
  };
  struct Parcel {
    NodeId from;
    NodeId to;
    Message message;
  };

  template <typename F>
  void Do(NodeId id, F what) {
    Effects out;
    StepContext step{now_, out};
    what(step);
    for (StoreRequest& request : out.store) replicas_.at(id)->store.Submit(std::move(request));
    for (Send& send : out.sends) wire_.push_back({id, send.to, std::move(send.message)});
  }
  void TakeStoreReply(NodeId id, StoreReply&& reply) {
    Replica& r = *replicas_.at(id);
    Do(id, [&](StepContext& step) {
      if (reply.status.ok() && reply.change.has_value()) r.forest.OnChange(step, *reply.change);
      const uint64_t ticket = TicketIdOf(reply.ticket);
      const TicketKind kind = TicketKindOf(reply.ticket);
      if (kind == TicketKind::kTree) r.forest.OnStoreReply(step, ticket, std::move(reply));
      if (kind == TicketKind::kExchange) r.exchange.OnStoreReply(step, ticket, std::move(reply));
      if (kind == TicketKind::kExchangeServe) r.server.OnStoreReply(step, ticket, reply);
    });
  }
  void Take(Parcel&& parcel) {
    Replica& r = *replicas_.at(parcel.to);
    if (r.deaf) return;
    const NodeId from = parcel.from;
    Do(parcel.to, [&](StepContext& step) {
      Message& m = parcel.message;
      if (auto* compare = std::get_if<TreeCompare>(&m)) r.server.OnCompare(step, from, *compare);
      if (auto* found = std::get_if<TreeAnswer>(&m)) r.exchange.OnTreeAnswer(step, from, *found);
      if (auto* offer = std::get_if<ExchangeOffer>(&m)) {
        r.server.OnOffer(step, from, std::move(*offer));
      }
      if (auto* answer = std::get_if<ExchangeAnswer>(&m)) {
        r.exchange.OnAnswer(step, from, std::move(*answer));
      }
      if (auto* records = std::get_if<ExchangeRecords>(&m)) {
        r.server.OnRecords(step, from, std::move(*records));
      }
    });
  }

  ClusterConfig cluster_;
  std::map<NodeId, std::unique_ptr<Replica>> replicas_;
  std::deque<Parcel> wire_;
  Now now_{1'000'000, 1'000'000};
};

TEST(ExchangeDemandTest, EndsWhenAllIsHere) {
  Replicas replicas;
  replicas.StartAll();
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.push_back(replicas.KeyOf(1, 2, i));
  for (const std::string& key : keys) replicas.Write(2, key, MakeRecord(9, 1));
  std::map<uint64_t, PartitionId> demands;
  for (const PartitionId partition : replicas.layout().PartitionsOf(1)) {
    if (!replicas.layout().IsReplica(partition, 2)) continue;
    demands[replicas.Demand(1, partition, 2)] = partition;
  }
  ASSERT_FALSE(demands.empty());
  replicas.Run(1'000'000);
  for (const FinishedDemand& finished : replicas.Finished(1)) {
    EXPECT_TRUE(finished.ok);
    EXPECT_EQ(finished.peer, 2);
    EXPECT_EQ(demands.at(finished.id), finished.partition);
    demands.erase(finished.id);
  }
  EXPECT_TRUE(demands.empty());
  EXPECT_TRUE(replicas.Finished(1).empty()) << "each is told once";
  for (const std::string& key : keys) EXPECT_EQ(replicas.RecordAt(1, key), MakeRecord(9, 1));
}

TEST(ExchangeDemandTest, EqualTreesAreEnough) {
  Replicas replicas;
  replicas.StartAll();
  const std::string key = replicas.KeyOf(1, 2, 0);
  for (NodeId id = 1; id <= 2; ++id) replicas.Write(id, key, MakeRecord(9, 1));
  replicas.Demand(1, replicas.PartitionOf(key), 2);
  replicas.Run(100'000);
  const std::vector<FinishedDemand> finished = replicas.Finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_TRUE(finished[0].ok);
  EXPECT_EQ(replicas.status(1).exchange_ranges, 0u);
  EXPECT_EQ(replicas.status(1).exchange_roots_equal, 1u);
}

// Whatever it answers, it says whether it is a complete replica.
TEST(ExchangeDemandTest, TellsWhetherThePeerWasComplete) {
  for (const bool complete : {true, false}) {
    for (const bool equal : {true, false}) {
      Replicas replicas;
      replicas.StartAll();
      if (!complete) replicas.SetIncomplete(2);
      const std::string key = replicas.KeyOf(1, 2, 0);
      replicas.Write(2, key, MakeRecord(9, 1));
      if (equal) replicas.Write(1, key, MakeRecord(9, 1));
      replicas.Demand(1, replicas.PartitionOf(key), 2);
      replicas.Run(1'000'000);
      const std::vector<FinishedDemand> finished = replicas.Finished(1);
      ASSERT_EQ(finished.size(), 1u);
      EXPECT_TRUE(finished[0].ok);
      EXPECT_EQ(finished[0].complete, complete);
      EXPECT_EQ(replicas.status(1).exchange_ranges, equal ? 0u : 1u);
    }
  }
}

// What is not durable here is not here.
TEST(ExchangeDemandTest, AMergeThatFailsIsAFailure) {
  Replicas replicas;
  replicas.StartAll();
  const std::string key = replicas.KeyOf(1, 2, 0);
  replicas.Write(2, key, MakeRecord(9, 1));
  replicas.store(1).FailSync();
  replicas.Demand(1, replicas.PartitionOf(key), 2);
  replicas.Run(1'000'000);
  const std::vector<FinishedDemand> finished = replicas.Finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_FALSE(finished[0].ok);
}

// Hundreds of them take no longer than their messages.
TEST(ExchangeDemandTest, ManyFollowEachOtherWithoutAPause) {
  Replicas replicas;
  replicas.StartAll();
  for (int round = 0; round < 300; ++round) {
    for (const PartitionId partition : replicas.layout().PartitionsOf(1)) {
      for (const NodeId peer : {NodeId{2}, NodeId{3}}) {
        if (replicas.layout().IsReplica(partition, peer)) replicas.Demand(1, partition, peer);
      }
    }
  }
  replicas.Run(10'000);
  EXPECT_GE(replicas.Finished(1).size(), 300u);
}

// What cannot be read, there or here, is not here.
TEST(ExchangeDemandTest, DamageIsFailure) {
  for (const NodeId damaged : {NodeId{1}, NodeId{2}}) {
    Replicas replicas;
    const std::string key = replicas.KeyOf(1, 2, 0);
    const std::string beside = replicas.KeyOf(1, 2, 1);
    for (const std::string& k : {key, beside}) replicas.Write(2, k, MakeRecord(9, 1));
    if (damaged == 1) replicas.Write(1, key, MakeRecord(8, 1));
    replicas.store(damaged).SpoilKey(key);
    replicas.StartAll();
    replicas.Demand(1, replicas.PartitionOf(key), 2);
    replicas.Run(1'000'000);
    const std::vector<FinishedDemand> finished = replicas.Finished(1);
    ASSERT_EQ(finished.size(), 1u);
    EXPECT_FALSE(finished[0].ok) << damaged;
  }
}

// Both trees lack what cannot be read there: equal sums prove nothing then.
TEST(ExchangeDemandTest, EqualTreesOverDamageAreFailure) {
  Replicas replicas;
  const std::string key = replicas.KeyOf(1, 2, 0);
  replicas.Write(2, key, MakeRecord(9, 1));
  replicas.store(2).SpoilKey(key);
  replicas.StartAll();
  replicas.Demand(1, replicas.PartitionOf(key), 2);
  replicas.Run(1'000'000);
  const std::vector<FinishedDemand> finished = replicas.Finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_FALSE(finished[0].ok);
}

TEST(ExchangeDemandTest, WhoDoesNotAnswerIsAFailure) {
  Replicas replicas;
  replicas.StartAll();
  const std::string key = replicas.KeyOf(1, 2, 0);
  replicas.SetDeaf(2, true);
  replicas.Demand(1, replicas.PartitionOf(key), 2);
  replicas.Run(10'000'000);
  const std::vector<FinishedDemand> finished = replicas.Finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_FALSE(finished[0].ok);
}

TEST(ExchangeDemandTest, APartitionThatIsNotSharedIsAFailure) {
  Replicas replicas;
  replicas.StartAll();
  for (const PartitionId partition : replicas.layout().PartitionsOf(1)) {
    if (replicas.layout().IsReplica(partition, 2)) continue;
    replicas.Demand(1, partition, 2);
    const std::vector<FinishedDemand> finished = replicas.Finished(1);
    ASSERT_EQ(finished.size(), 1u);
    EXPECT_FALSE(finished[0].ok);
  }
}

// Without its tree, the peer's keys are compared one by one.
TEST(ExchangeDemandTest, WorksBeforeTheTreesAreBuilt) {
  NodeOptions slow = Rare();
  slow.tree_scan_bytes_per_second = 1;
  slow.exchange_page_entries = 4;
  Replicas replicas(slow);
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.push_back(replicas.KeyOf(1, 2, i));
  for (const std::string& key : keys) replicas.Write(2, key, MakeRecord(9, 1));
  replicas.StartAll();
  ASSERT_GT(replicas.status(2).trees_building, 0u);
  for (const PartitionId partition : replicas.layout().PartitionsOf(1)) {
    if (replicas.layout().IsReplica(partition, 2)) replicas.Demand(1, partition, 2);
  }
  replicas.Run(2'000'000);
  const std::vector<FinishedDemand> finished = replicas.Finished(1);
  EXPECT_FALSE(finished.empty());
  for (const FinishedDemand& demand : finished) EXPECT_TRUE(demand.ok);
  for (const std::string& key : keys) EXPECT_EQ(replicas.RecordAt(1, key), MakeRecord(9, 1));
}

// A dirty partition is exchanged as soon as its peer answers, and only then clean.
TEST(ExchangeDemandTest, DirtyUntilItWasMended) {
  NodeOptions options;
  options.exchange_interval_us = 20'000'000;  // and a twentieth where something is urgent
  options.request_timeout_us = 100'000;
  Replicas replicas(options);
  replicas.StartAll();
  const std::string key = replicas.KeyOf(1, 2, 0);
  replicas.Write(1, key, MakeRecord(9, 1));
  replicas.SetDeaf(2, true);
  replicas.MarkDirty(1, replicas.PartitionOf(key), 2);
  replicas.Demand(1, replicas.PartitionOf(key), 2);  // wakes it, and fails
  replicas.Run(5'000'000);
  EXPECT_EQ(replicas.RecordAt(2, key), "");
  EXPECT_GT(replicas.status(1).exchanges_failed, 2u);
  replicas.SetDeaf(2, false);
  replicas.Run(4'000'000);
  EXPECT_EQ(replicas.RecordAt(2, key), MakeRecord(9, 1));
  const uint64_t exchanges = replicas.status(1).exchanges;
  replicas.Run(15'000'000);
  EXPECT_LE(replicas.status(1).exchanges, exchanges + 4) << "it is clean now";
}

}  // namespace
}  // namespace norn
