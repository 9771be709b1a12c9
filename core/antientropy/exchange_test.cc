// Exchanges between whole nodes: whatever differs is found by its trees, and mended.

#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/random.h"
#include "core/ring/position.h"
#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

using testing::Fate;
using testing::MiniCluster;
using testing::MiniOptions;

MiniOptions Small(size_t page_entries, size_t page_bytes) {
  MiniOptions options;
  options.partitions = 2;
  options.exchange = true;
  options.node.exchange_interval_us = 10'000;
  options.node.exchange_page_entries = page_entries;
  options.node.exchange_page_bytes = page_bytes;
  options.node.tree_bucket_keys = 3;
  return options;
}

std::string MakeRecord(NodeId node, uint64_t counter, size_t bytes) {
  Record record;
  Version version;
  version.dot = {MakeIncarnation(node, 1), counter};
  version.value = std::string(bytes, static_cast<char>('a' + node));
  record.Put(version, VersionVector());
  return record.Encode();
}

// As if a coordinator had reached nobody else.
void Plant(MiniCluster& cluster, NodeId id, const std::string& key, const std::string& record) {
  ReplicaWrite write;
  write.request = 1;
  write.layout = cluster.layout().version();
  write.partition = cluster.PartitionOf(key);
  write.key = MakeRecordKey(0, key);
  write.record = record;
  cluster.Deliver(id, MessageReceived{static_cast<NodeId>(id == 1 ? 2 : 1), std::move(write)});
}

TEST(ExchangeTest, KeysOnOneSideOnly) {
  for (NodeId holder = 1; holder <= 3; ++holder) {
    MiniCluster cluster(Small(4, 1 << 20));
    for (int i = 0; i < 50; ++i) {
      Plant(cluster, holder, "key" + std::to_string(i), MakeRecord(9, 1, 10));
    }
    EXPECT_TRUE(cluster.RunUntilEqual(2'000'000)) << "all on " << holder;
    EXPECT_EQ(cluster.store(holder).records().size(), 50u);
  }
}

// Records larger than a page, pages of one entry, and keys on this side, that side, both.
TEST(ExchangeTest, SmallPagesAndBigRecords) {
  for (const size_t entries : {size_t{1}, size_t{2}, size_t{7}}) {
    for (const size_t bytes : {size_t{1}, size_t{100}, size_t{100'000}}) {
      MiniCluster cluster(Small(entries, bytes));
      for (int i = 0; i < 60; ++i) {
        const std::string key = "key" + std::to_string(i);
        const size_t size = i % 5 == 0 ? 2000 : 5;
        if (i % 3 != 0) Plant(cluster, 1, key, MakeRecord(8, 1, size));
        if (i % 3 != 1) Plant(cluster, 2, key, MakeRecord(9, 1, size));
      }
      EXPECT_TRUE(cluster.RunUntilEqual(8'000'000))
          << entries << " entries, " << bytes << " bytes: " << cluster.Difference();
      Record record;
      ASSERT_TRUE(Record::Decode(cluster.RecordAt(3, "key2"), &record));
      EXPECT_EQ(record.versions().size(), 2u) << "concurrent values stay siblings";
    }
  }
}

// Two nodes, of which only the first may offer, and the first exchange it completes.
class OneExchange {
 public:
  OneExchange(size_t page_entries, size_t page_bytes)
      : cluster_([&] {
          MiniOptions options = Small(page_entries, page_bytes);
          options.nodes = 2;
          options.partitions = 1;
          options.bucket.n = 2;
          options.node.exchange_interval_us = 1'000'000;
          return options;
        }()) {
    cluster_.SetJudge([](NodeId from, NodeId, const Message& message) {
      return from != 1 && std::holds_alternative<TreeCompare>(message) ? Fate::kDrop
                                                                       : Fate::kDeliver;
    });
  }
  MiniCluster& cluster() { return cluster_; }
  void Run() {
    while (cluster_.Status(1).exchanges == before_) cluster_.Run(10'000);
  }

 private:
  MiniCluster cluster_;
  uint64_t before_ = cluster_.Status(1).exchanges;  // while the replicas met
};

// Wherever pages and answers end, nothing is passed over, in either direction.
RC_GTEST_PROP(ExchangeProperty, OneExchangeMendsBothSides, (uint64_t seed)) {
  Random random(seed);
  OneExchange exchange(1 + random.Below(6), 1 + random.Below(200));
  const uint64_t mine = random.Below(10);
  const uint64_t theirs = random.Below(10);
  for (int i = 10; i < 60; ++i) {
    const std::string key = "key" + std::to_string(i);
    const size_t bytes = random.Below(40);
    if (random.Chance(mine, 10)) Plant(exchange.cluster(), 1, key, MakeRecord(8, 1, bytes));
    if (random.Chance(theirs, 10)) {
      Plant(exchange.cluster(), 2, key, MakeRecord(random.Chance(1, 2) ? 8 : 9, 1, bytes));
    }
  }
  exchange.Run();
  RC_ASSERT(exchange.cluster().Difference() == "");
}

// The answer's scan ended before the last key that was offered: it knows nothing of it yet.
TEST(ExchangeTest, WhatWasNotLookedAtIsNotWanted) {
  OneExchange exchange(2, 1 << 20);
  for (int i = 10; i < 40; ++i) {
    Plant(exchange.cluster(), 2, "key" + std::to_string(i), MakeRecord(9, 1, 10));
  }
  std::string last = "key10";
  for (int i = 11; i < 40; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (ComesBefore(MakeRecordKey(0, last), MakeRecordKey(0, key))) last = key;
  }
  Plant(exchange.cluster(), 1, last, MakeRecord(9, 1, 10));
  exchange.Run();
  EXPECT_EQ(exchange.cluster().Difference(), "");
  EXPECT_EQ(exchange.cluster().Sent("ExchangeRecords"), 0u);
}

// A record that the peer has sent and that covers ours is not sent back; one that was merged is.
TEST(ExchangeTest, OnlyWhoKnowsMoreSends) {
  for (const bool concurrent : {false, true}) {
    OneExchange exchange(16, 1 << 20);
    const std::string older = MakeRecord(9, 1, 10);
    Plant(exchange.cluster(), 1, "key", concurrent ? MakeRecord(8, 1, 10) : older);
    Plant(exchange.cluster(), 2, "key", older);
    Record newer;
    ASSERT_TRUE(Record::Decode(older, &newer));
    newer.Put({.dot = {MakeIncarnation(9, 1), 2}, .value = "newer"}, newer.context());
    Plant(exchange.cluster(), 2, "key", newer.Encode());
    exchange.Run();
    EXPECT_EQ(exchange.cluster().Difference(), "");
    EXPECT_EQ(exchange.cluster().Sent("ExchangeRecords"), concurrent ? 1u : 0u);
  }
}

// Nor is a pair of records taken for the same in one offer after the other.
TEST(ExchangeTest, DigestsThatCollideDoSoOnce) {
  const RequestId request = 77;
  const uint64_t high = 0x123456789abcdef0, low = 0x0fedcba987654321;
  const uint64_t other_high = high + 5, other_low = low - 5 * (2 * request + 1);
  EXPECT_EQ(KeyDigest(high, low, request), KeyDigest(other_high, other_low, request));
  EXPECT_NE(KeyDigest(high, low, request + 1), KeyDigest(other_high, other_low, request + 1));
}

TEST(ExchangeTest, NothingIsSentWhereNothingDiffers) {
  MiniCluster cluster(Small(16, 1 << 20));
  for (int i = 0; i < 50; ++i) {
    for (NodeId id = 1; id <= 3; ++id) {
      Plant(cluster, id, "key" + std::to_string(i), MakeRecord(9, 1, 10));
    }
  }
  cluster.Run(2'000'000);
  for (NodeId id = 1; id <= 3; ++id) {
    EXPECT_GT(cluster.Status(id).exchanges, 50u);
    EXPECT_EQ(cluster.Status(id).exchange_records, 0u);
  }
  EXPECT_GT(cluster.Sent("TreeCompare"), 50u);
  EXPECT_EQ(cluster.Sent("ExchangeOffer"), 0u);
  EXPECT_EQ(cluster.Sent("ExchangeRecords"), 0u);
}

TEST(ExchangeTest, LostMessagesCostTimeOnly) {
  MiniCluster cluster(Small(4, 200));
  for (int i = 0; i < 40; ++i) {
    Plant(cluster, static_cast<NodeId>(1 + i % 3), "key" + std::to_string(i), MakeRecord(9, 1, 50));
  }
  Random random(7);
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (std::holds_alternative<Gossip>(message)) return Fate::kDeliver;
    return random.Chance(1, 10)   ? Fate::kDrop
           : random.Chance(1, 10) ? Fate::kDouble
                                  : Fate::kDeliver;
  });
  EXPECT_TRUE(cluster.RunUntilEqual(120'000'000)) << cluster.Difference();
}

// A bad block stops the exchange of its partition, never the others, nor for ever.
TEST(ExchangeTest, WhatCannotBeReadIsLeftAlone) {
  MiniOptions options = Small(4, 1 << 20);
  options.node.tree_scrub_interval_us = 100'000;  // finds out what can be read again
  MiniCluster cluster(options);
  for (int i = 0; i < 40; ++i) {
    Plant(cluster, 1, "key" + std::to_string(i), MakeRecord(9, 1, 10));
  }
  cluster.store(1).SpoilKey(MakeRecordKey(0, "key7"));
  cluster.Run(2'000'000);
  EXPECT_NE(cluster.Difference(), "");
  EXPECT_NE(cluster.RecordAt(1, "key7"), "");
  for (int i = 0; i < 40; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (cluster.PartitionOf(key) == cluster.PartitionOf("key7")) continue;
    EXPECT_EQ(cluster.RecordAt(2, key), MakeRecord(9, 1, 10)) << key;
  }
  cluster.store(1).MendAll();
  EXPECT_TRUE(cluster.RunUntilEqual(2'000'000)) << cluster.Difference();
}

// A member that comes back is exchanged with before the routine gets to it.
TEST(ExchangeTest, WhoComesBackIsMendedFirst) {
  MiniOptions options = Small(16, 1 << 20);
  options.partitions = 64;
  options.node.exchange_interval_us = 1'000'000;
  MiniCluster cluster(options);
  cluster.Run(1'000'000);
  cluster.Crash(3);
  for (int i = 0; i < 200; ++i) {
    for (NodeId id = 1; id <= 2; ++id) {
      Plant(cluster, id, "key" + std::to_string(i), MakeRecord(9, 1, 10));
    }
  }
  cluster.Run(5'000'000);
  cluster.Start(3);
  EXPECT_TRUE(cluster.RunUntilEqual(8'000'000)) << cluster.Difference();
}

// An answer that does not get on would be asked for again and again, without a pause.
TEST(ExchangeTest, AnAnswerThatGetsNowhereEndsTheExchange) {
  MiniOptions options = Small(4, 1 << 20);
  options.node.exchange_interval_us = 100'000;
  options.gossip = false;
  MiniCluster cluster(options);
  cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
    const auto* const offer = std::get_if<ExchangeOffer>(&message);
    if (offer == nullptr) return Fate::kDeliver;
    ExchangeAnswer stuck;
    stuck.request = offer->request;
    stuck.partition = offer->partition;
    stuck.status = ReplicaStatus::kOk;
    stuck.covered_to = std::string(1, '\0');  // before any key, then the same again
    cluster.Deliver(from, MessageReceived{to, stuck});
    return Fate::kDrop;
  });
  for (int i = 0; i < 20; ++i) Plant(cluster, 1, "key" + std::to_string(i), MakeRecord(9, 1, 10));
  cluster.Run(1'000'000);
  EXPECT_GT(cluster.Sent("ExchangeOffer"), 0u);
  EXPECT_LE(cluster.Sent("ExchangeOffer"), 3u * 2 * 11);
}

TEST(ExchangeTest, RecordsOfAnotherPartitionAreNotTaken) {
  MiniCluster cluster(Small(4, 1 << 20));
  ExchangeRecords records;
  records.layout = 1;
  records.partition = static_cast<PartitionId>(1 - cluster.PartitionOf("k"));
  records.records.push_back({MakeRecordKey(0, "k"), MakeRecord(9, 1, 10)});
  cluster.Deliver(1, MessageReceived{2, records});
  records.partition = 999;
  cluster.Deliver(1, MessageReceived{2, records});
  records.partition = cluster.PartitionOf("k");
  records.layout = 2;
  cluster.Deliver(1, MessageReceived{2, records});
  cluster.Settle();
  EXPECT_TRUE(cluster.store(1).records().empty());
}

// ---- Trees across restarts ------------------------------------------------------------

void Restart(MiniCluster& cluster, NodeId id, bool drain) {
  if (drain) {
    cluster.Deliver(id, Drain{});
    cluster.Settle();
    EXPECT_TRUE(cluster.node(id).drained());
  }
  cluster.Crash(id);
  cluster.Start(id);
  cluster.Settle();
}

TEST(ExchangeTest, AfterADrainTheTreesAreThereAtOnce) {
  MiniCluster cluster(Small(16, 1 << 20));
  for (int i = 0; i < 50; ++i) {
    Plant(cluster, 1, "key" + std::to_string(i), MakeRecord(9, 1, 10));
  }
  ASSERT_TRUE(cluster.RunUntilEqual(2'000'000));
  Restart(cluster, 1, /*drain=*/true);
  EXPECT_EQ(cluster.Status(1).tree_builds, 0u);
  EXPECT_EQ(cluster.Status(1).trees_building, 0u);
  const uint64_t offers = cluster.Sent("ExchangeOffer");
  cluster.Run(1'000'000);
  EXPECT_EQ(cluster.Sent("ExchangeOffer"), offers) << "a tree that was loaded is the right one";
}

// A saved tree that was trusted would hide what came after it: all are equal in it.
TEST(ExchangeTest, ATreeOlderThanTheDataIsNotTrusted) {
  MiniCluster cluster(Small(16, 1 << 20));
  for (NodeId id = 1; id <= 3; ++id) Restart(cluster, id, /*drain=*/true);
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
  Plant(cluster, 1, "key", MakeRecord(9, 1, 10));
  cluster.Settle();
  Restart(cluster, 1, /*drain=*/false);
  EXPECT_GT(cluster.Status(1).tree_builds, 0u);
  cluster.SetJudge(nullptr);
  EXPECT_TRUE(cluster.RunUntilEqual(5'000'000)) << cluster.Difference();
}

// Nor one whose sequence fits by chance, because later writes were lost and numbered again.
TEST(ExchangeTest, ATreeOfAnEarlierLifeIsNotTrusted) {
  MiniCluster cluster(Small(16, 1 << 20));
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
  Plant(cluster, 1, "one", MakeRecord(9, 1, 10));
  Plant(cluster, 1, "two", MakeRecord(9, 1, 10));
  cluster.Settle();
  Restart(cluster, 1, /*drain=*/true);
  const std::string saved = cluster.store(1).Recover(false).merkle;
  Restart(cluster, 1, /*drain=*/false);
  ASSERT_EQ(cluster.store(1).Recover(false).merkle, saved);
  EXPECT_GT(cluster.Status(1).tree_builds, 0u);
}

// Bit rot below the checksums: the scrub finds it, and what is lost comes back.
TEST(ExchangeTest, AScrubFindsWhatNoChecksumShows) {
  MiniOptions options = Small(16, 1 << 20);
  options.node.tree_scrub_interval_us = 100'000;
  MiniCluster cluster(options);
  for (int i = 0; i < 50; ++i) {
    Plant(cluster, 1, "key" + std::to_string(i), MakeRecord(9, 1, 10));
  }
  ASSERT_TRUE(cluster.RunUntilEqual(2'000'000));
  cluster.Run(2'000'000);
  EXPECT_GT(cluster.Status(2).tree_scrubs, 10u);
  EXPECT_EQ(cluster.Status(2).tree_mismatches, 0u);
  cluster.store(2).Plant(cluster.PartitionOf("key7"), MakeRecordKey(0, "key7"), "");
  EXPECT_TRUE(cluster.RunUntilEqual(2'000'000)) << cluster.Difference();
  EXPECT_EQ(cluster.Status(2).tree_mismatches, 1u);
}

RC_GTEST_PROP(ExchangeProperty, WhateverDiffersIsMended, (uint64_t seed)) {
  Random random(seed);
  MiniCluster cluster(Small(1 + random.Below(9), 1 + random.Below(500)));
  cluster.Shuffle(seed);
  for (int i = 0; i < 30; ++i) {
    const std::string key = "key" + std::to_string(random.Below(40));
    const NodeId at = static_cast<NodeId>(1 + random.Below(3));
    const NodeId by = static_cast<NodeId>(7 + random.Below(3));
    std::string merged;
    RC_ASSERT(MergeEncoded(cluster.RecordAt(at, key), MakeRecord(by, 1, (by * 7 + key.size()) % 40),
                           &merged));
    Plant(cluster, at, key, merged);
  }
  RC_ASSERT(cluster.RunUntilEqual(20'000'000));
}

}  // namespace
}  // namespace norn
