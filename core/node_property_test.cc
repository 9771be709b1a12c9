// The protocol under random faults: messages lost, doubled and overtaken, slow and failing
// disks, crashes. Then all is mended, and what was acknowledged must be there.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/causality/record.h"
#include "core/random.h"
#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

using testing::Fate;
using testing::Get;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::PutAfter;
using testing::PutBeside;
using Outcome = ClientReply::Outcome;

// A put and what its client knew. Values are unique, so a value names its put.
struct Write {
  std::string key;
  std::string value;
  std::set<std::string> replaces;  // values its client had read
  uint64_t ticket = 0;
};

// What a client last read of a key.
struct Reading {
  std::string context;
  std::set<std::string> values;
};

class Trial {
 public:
  explicit Trial(uint64_t seed) : random_(seed), cluster_(Options()) {
    cluster_.Shuffle(random_.Next64());
    losses_ = random_.Below(4);
    cluster_.SetJudge([this](NodeId, NodeId, const Message&) {
      switch (random_.Below(20)) {
        case 0:
          return losses_ > 0 ? Fate::kDrop : Fate::kDeliver;
        case 1:
          return losses_ > 1 ? Fate::kDrop : Fate::kDeliver;
        case 2:
          return Fate::kDouble;
        case 3:
          return Fate::kHold;
        default:
          return Fate::kDeliver;
      }
    });
  }

  void Misbehave() {
    for (int i = 0; i < 120; ++i) {
      const NodeId node = Pick();
      const std::string key = "key" + std::to_string(random_.Below(3));
      switch (random_.Below(14)) {
        case 0:
        case 1:
        case 2:
        case 3:
          WriteOne(node, key);
          break;
        case 4:
        case 5:
          Read(node, key);
          break;
        case 6:
          cluster_.ReleaseHeld();
          break;
        case 7:
          cluster_.store(node).Hold(random_.Chance(1, 2));
          break;
        case 8:
          cluster_.store(node).Sync();
          break;
        case 9:
          CrashOrStart(node);
          break;
        case 10:
          cluster_.Run(random_.Between(1, 700'000));
          break;
        default:
          for (uint64_t step = random_.Below(12); step > 0; --step) cluster_.SettleOne();
      }
      TakeReadings();
    }
  }

  void Mend() {
    cluster_.SetJudge(nullptr);
    for (const MemberConfig& member : cluster_.config().members) {
      cluster_.store(member.id).Hold(false);
      if (!cluster_.IsUp(member.id)) cluster_.Start(member.id);
    }
    cluster_.ReleaseHeld();
    // What is still on its way ends at its deadline; then the exchanges finish the rest.
    cluster_.Run(3'000'000);
    RC_ASSERT(cluster_.RunUntilEqual(60'000'000));
  }

  // Every acknowledged write is there, or somebody who knew it replaced it; nothing is
  // there that nobody wrote; all replicas hold the same bytes.
  void Check() {
    std::map<std::string, const Write*> by_value;
    for (const Write& write : writes_) by_value[write.value] = &write;
    for (const Write& write : writes_) {
      const ClientReply* const reply = cluster_.ReplyTo(write.ticket);
      const std::set<std::string> alive = ValuesOf(write.key);
      for (const std::string& value : alive) RC_ASSERT(by_value.count(value) != 0);
      if (reply == nullptr) continue;  // its coordinator crashed
      bool replaced = false;
      for (const Write& other : writes_) replaced |= other.replaces.count(write.value) != 0;
      if (reply->outcome == Outcome::kOk && alive.count(write.value) == 0) {
        RC_LOG() << write.key << "=" << write.value << " was acknowledged and is gone\n";
        RC_ASSERT(replaced);
      }
      const bool never = reply->outcome == Outcome::kNotApplied ||
                         reply->outcome == Outcome::kOverloaded ||
                         reply->outcome == Outcome::kInvalid;
      if (never) RC_ASSERT(alive.count(write.value) == 0);
    }
    // No put became two siblings.
    for (int i = 0; i < 3; ++i) {
      const std::string key = "key" + std::to_string(i);
      Record record;
      RC_ASSERT(Record::Decode(cluster_.RecordAt(cluster_.ReplicasOf(key)[0], key), &record));
      RC_ASSERT(record.versions().size() == ValuesOf(key).size());
    }
    // Reads now succeed everywhere and tell the same.
    for (const MemberConfig& member : cluster_.config().members) {
      const ClientReply reply = cluster_.Call(member.id, Get("key0"));
      RC_ASSERT(reply.outcome == Outcome::kOk);
      RC_ASSERT(reply.siblings.size() == ValuesOf("key0").size());
    }
  }

 private:
  MiniOptions Options() {
    MiniOptions options;
    options.nodes = static_cast<int>(3 + random_.Below(3));
    options.partitions = 4;
    options.exchange = true;
    options.node.exchange_interval_us = 50'000;
    options.node.exchange_page_entries = 2;
    options.node.lease_counters = 1 + random_.Below(8);
    options.node.siblings_max = 1000;
    options.bucket.n = 3;
    options.bucket.r = 2;
    options.bucket.w = 2;
    options.seed = random_.Next64();
    return options;
  }
  NodeId Pick() { return static_cast<NodeId>(1 + random_.Below(cluster_.config().members.size())); }

  void WriteOne(NodeId node, const std::string& key) {
    if (!cluster_.IsUp(node)) return;
    Write write;
    write.key = key;
    write.value = "v" + std::to_string(writes_.size());
    const Reading& reading = readings_[key];
    if (!reading.context.empty() && random_.Chance(2, 3)) {
      write.replaces = reading.values;
      write.ticket = cluster_.Ask(node, PutAfter(key, write.value, reading.context));
    } else {
      write.ticket = cluster_.Ask(node, PutBeside(key, write.value));
    }
    writes_.push_back(std::move(write));
  }
  void Read(NodeId node, const std::string& key) {
    if (cluster_.IsUp(node)) reads_[cluster_.Ask(node, Get(key))] = key;
  }
  void TakeReadings() {
    for (auto it = reads_.begin(); it != reads_.end();) {
      const ClientReply* const reply = cluster_.ReplyTo(it->first);
      if (reply == nullptr) {
        ++it;
        continue;
      }
      if (reply->outcome == Outcome::kOk) {
        Reading& reading = readings_[it->second];
        reading.context = reply->context;
        reading.values.clear();
        for (const Sibling& sibling : reply->siblings) reading.values.insert(sibling.value);
      }
      it = reads_.erase(it);
    }
    // A write's own token: its client knows its own value, and nothing else.
    if (writes_.empty() || random_.Chance(1, 2)) return;
    const Write& write = writes_[random_.Below(writes_.size())];
    const ClientReply* const reply = cluster_.ReplyTo(write.ticket);
    if (reply == nullptr || reply->outcome != Outcome::kOk || reply->context.empty()) return;
    readings_[write.key] = Reading{reply->context, {write.value}};
  }
  void CrashOrStart(NodeId node) {
    if (!cluster_.IsUp(node)) {
      cluster_.Start(node, /*doubtful=*/random_.Chance(1, 2));
    } else if (random_.Chance(1, 2)) {
      cluster_.Crash(node);
    }
  }
  std::set<std::string> ValuesOf(const std::string& key) {
    Record record;
    RC_ASSERT(Record::Decode(cluster_.RecordAt(cluster_.ReplicasOf(key)[0], key), &record));
    std::set<std::string> values;
    for (const Version& version : record.versions()) values.insert(version.value);
    return values;
  }

  Random random_;
  MiniCluster cluster_;
  uint64_t losses_ = 0;
  std::vector<Write> writes_;
  std::map<std::string, Reading> readings_;
  std::map<uint64_t, std::string> reads_;
};

RC_GTEST_PROP(NodeProperty, AcknowledgedWritesSurviveAndReplicasConverge, (uint64_t seed)) {
  Trial trial(seed);
  trial.Misbehave();
  trial.Mend();
  trial.Check();
}

// Quorum reads are monotonic: once a read has told a value, no later read (begun after
// that answer) tells of a state in which it was never written. W=4 of 5 fails often here.
RC_GTEST_PROP(NodeProperty, QuorumReadsAreMonotonic, (uint64_t seed)) {
  Random random(seed);
  MiniOptions options;
  options.nodes = 5;
  options.gossip = false;
  options.bucket.n = 5;
  options.bucket.r = 2;
  options.bucket.w = 4;
  options.seed = random.Next64();
  MiniCluster cluster(options);
  cluster.Shuffle(random.Next64());
  cluster.SetJudge([&](NodeId, NodeId, const Message&) {
    return random.Chance(1, 3) ? Fate::kDrop : Fate::kDeliver;
  });
  std::set<std::string> told;
  for (int i = 0; i < 25; ++i) {
    const NodeId node = static_cast<NodeId>(1 + random.Below(5));
    if (random.Chance(1, 2)) {
      cluster.Ask(node, PutBeside("k", "v" + std::to_string(i)));
      for (uint64_t step = random.Below(20); step > 0; --step) cluster.SettleOne();
      continue;
    }
    const ClientReply reply = cluster.Call(node, Get("k"));
    if (reply.outcome != Outcome::kOk) continue;
    std::set<std::string> now;
    for (const Sibling& sibling : reply.siblings) now.insert(sibling.value);
    for (const std::string& value : told) RC_ASSERT(now.count(value) != 0);
    told = now;
  }
}

}  // namespace
}  // namespace norn
