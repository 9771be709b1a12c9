// The forest over a store that a test slows down: trees are what the records say, whatever
// comes in between.

#include "core/antientropy/merkle_forest.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/causality/record.h"
#include "core/random.h"
#include "core/testing/memory_store.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

using testing::MemoryStore;

ClusterConfig Cluster() {
  ClusterConfig cluster;
  cluster.name = "test";
  cluster.secret = "secret";
  cluster.partitions = 4;
  for (NodeId id = 1; id <= 2; ++id) {
    MemberConfig member;
    member.id = id;
    member.address = "n" + std::to_string(id);
    cluster.members.push_back(std::move(member));
  }
  cluster.buckets.front().n = 2;
  return cluster;
}

NodeOptions Options(size_t page_entries) {
  NodeOptions options;
  options.id = 1;
  options.exchange_page_entries = page_entries;
  options.tree_scrub_interval_us = 1'000;
  options.tree_bucket_keys = 5;
  return options;
}

std::string MakeRecord(uint64_t counter) {
  Record record;
  Version version;
  version.dot = {MakeIncarnation(9, 1), counter};
  version.value = "value";
  record.Put(version, VersionVector());
  return record.Encode();
}

// One node's forest, its store, and nothing else of the node.
class Bench {
 public:
  Bench(MemoryStore& store, size_t page_entries)
      : store_(store), context_(Cluster(), Options(page_entries)), forest_(context_) {
    context_.generation = 2;
  }

  void Start(const StoreRecovery& recovery, Generation last) {
    Do([&](StepContext& step) { forest_.Start(step, recovery, last); });
  }
  void Write(const std::string& key, uint64_t counter) {
    StoreUpdate update;
    update.key = MakeRecordKey(0, key);
    update.partition = context_.layout.PartitionOf(update.key);
    update.op = MergeOp{MakeRecord(counter)};
    store_.Submit(std::move(update));
  }
  bool DeliverOne() {
    if (store_.ready() == 0) return false;
    StoreReply reply = store_.TakeReply(0);
    Do([&](StepContext& step) {
      if (reply.status.ok() && reply.change.has_value()) forest_.OnChange(step, *reply.change);
      if (TicketKindOf(reply.ticket) == TicketKind::kTree) {
        forest_.OnStoreReply(step, TicketIdOf(reply.ticket), std::move(reply));
      }
    });
    return true;
  }
  void Pass(int64_t us) {
    now_.monotonic_us += us;
    if (forest_.NextDeadline() > now_.monotonic_us) return;
    Do([&](StepContext& step) { forest_.OnTimer(step, /*store_idle=*/false); });
  }
  void Settle() {
    store_.Hold(false);
    for (int i = 0; i < 1000; ++i) {
      while (DeliverOne()) {
      }
      Pass(100);
      if (context_.status.trees_building == 0 && i > 100) break;
    }
    while (DeliverOne()) {
    }
  }
  std::string Save() {
    Do([&](StepContext& step) { forest_.SaveForGood(step); });
    while (DeliverOne()) {
    }
    return store_.Recover(false).merkle;
  }

  // Buckets of all partitions that are not what the store's records say.
  int Depth(PartitionId partition) const { return forest_.Find(partition)->depth(); }
  uint64_t Wrong() const {
    uint64_t wrong = 0;
    for (PartitionId partition = 0; partition < 4; ++partition) {
      MerkleTree expected(kTreeDepthMax);
      for (const auto& [place, record] : store_.records()) {
        if (place.partition != partition) continue;
        expected.Apply(place.position, RecordHash(), context_.hasher.Hash(place.key, record));
      }
      const MerkleTree* const tree = forest_.Find(partition);
      if (tree == nullptr) return 1'000'000;
      wrong += tree->CountDifferent(expected);
      wrong += tree->keys() == expected.keys() ? 0u : 1u;
    }
    return wrong;
  }
  const NodeStatus& status() const { return context_.status; }
  const std::vector<Note>& notes() const { return notes_; }

 private:
  template <typename F>
  void Do(F what) {
    Effects out;
    StepContext step{now_, out};
    what(step);
    for (StoreRequest& request : out.store) store_.Submit(std::move(request));
    notes_.insert(notes_.end(), out.notes.begin(), out.notes.end());
  }

  MemoryStore& store_;
  NodeContext context_;
  MerkleForest forest_;
  Now now_{1'000'000, 1'000'000};
  std::vector<Note> notes_;
};

MemoryStore NewStore() { return MemoryStore(RecordHasher("test", "secret")); }

// Builds and scrubs while writes go on and are slow to become durable.
RC_GTEST_PROP(MerkleForestProperty, TreesAreWhatTheRecordsSay, (uint64_t seed)) {
  Random random(seed);
  MemoryStore store = NewStore();
  Bench bench(store, 1 + random.Below(6));
  uint64_t counter = 0;
  const auto write = [&] { bench.Write("key" + std::to_string(random.Below(60)), ++counter); };
  for (uint64_t i = random.Below(80); i > 0; --i) write();
  while (store.ready() > 0) store.TakeReply(0);  // of an earlier life
  bench.Start(store.Recover(false), 1);
  for (int i = 0; i < 600; ++i) {
    switch (random.Below(6)) {
      case 0:
      case 1:
        write();
        break;
      case 2:
        store.Hold(random.Chance(1, 2));
        break;
      case 3:
        bench.Pass(static_cast<int64_t>(random.Below(800)));
        break;
      default:
        bench.DeliverOne();
    }
  }
  bench.Settle();
  RC_ASSERT(bench.Wrong() == 0u);
  RC_ASSERT(bench.status().tree_mismatches == 0u);
  RC_ASSERT(bench.status().tree_builds >= 4u);
}

TEST(MerkleForestTest, WhatGrewTooFullIsRebuiltDeeper) {
  MemoryStore store = NewStore();
  Bench bench(store, 512);
  bench.Start(store.Recover(false), 1);
  bench.Settle();
  for (PartitionId partition = 0; partition < 4; ++partition) EXPECT_EQ(bench.Depth(partition), 0);
  for (int i = 0; i < 400; ++i) bench.Write("key" + std::to_string(i), 1);
  for (int i = 0; i < 4; ++i) bench.Settle();
  for (PartitionId partition = 0; partition < 4; ++partition) EXPECT_GE(bench.Depth(partition), 3);
  EXPECT_EQ(bench.Wrong(), 0u);
  EXPECT_EQ(bench.status().tree_mismatches, 0u);
}

class SavedForestTest : public ::testing::Test {
 protected:
  SavedForestTest() : store_(NewStore()) {
    Bench bench(store_, 16);
    bench.Start(store_.Recover(false), 1);
    for (int i = 0; i < 100; ++i) bench.Write("key" + std::to_string(i), 1);
    bench.Settle();
    saved_ = bench.Save();  // by generation 2
    EXPECT_NE(saved_, "");
  }
  // How many trees a start with this recovery builds anew; none may be wrong.
  uint64_t Builds(const StoreRecovery& recovery, Generation last) {
    Bench bench(store_, 16);
    bench.Start(recovery, last);
    bench.Settle();
    EXPECT_EQ(bench.Wrong(), 0u);
    return bench.status().tree_builds;
  }

  MemoryStore store_;
  std::string saved_;
};

TEST_F(SavedForestTest, IsUsedWhereItIsCertain) { EXPECT_EQ(Builds(store_.Recover(false), 2), 0u); }

TEST_F(SavedForestTest, IsNotUsedAfterDoubt) { EXPECT_EQ(Builds(store_.Recover(true), 2), 4u); }

TEST_F(SavedForestTest, IsNotUsedForAnotherSequence) {
  StoreRecovery recovery = store_.Recover(false);
  ++recovery.last_sequence;
  EXPECT_EQ(Builds(recovery, 2), 4u);
}

TEST_F(SavedForestTest, IsNotUsedByTheLifeAfterTheNext) {
  EXPECT_EQ(Builds(store_.Recover(false), 3), 4u);
}

TEST_F(SavedForestTest, IsNotUsedIfItIsCut) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{20}, saved_.size() - 1}) {
    StoreRecovery recovery = store_.Recover(false);
    recovery.merkle = saved_.substr(0, bytes);
    EXPECT_EQ(Builds(recovery, 2), 4u) << bytes;
  }
}

// Damage does not stop the scan: what lies behind it is known, and the tree says so.
TEST(MerkleForestTest, DamageIsPassedOverAndTold) {
  MemoryStore store = NewStore();
  Bench bench(store, 4);
  for (int i = 0; i < 40; ++i) bench.Write("key" + std::to_string(i), 1);
  store.SpoilKey(MakeRecordKey(0, "key7"));
  bench.Start(store.Recover(false), 1);
  for (int i = 0; i < 1000 && bench.status().trees_building > 0; ++i) {
    while (bench.DeliverOne()) {
    }
    bench.Pass(100);
  }
  EXPECT_EQ(bench.Wrong(), 2u) << "the bucket, and the count, of the one key";
  ASSERT_FALSE(bench.notes().empty());
  EXPECT_NE(bench.notes().front().text.find("cannot be read"), std::string::npos);
  store.MendAll();
  bench.Settle();
  EXPECT_EQ(bench.Wrong(), 0u) << "a scrub finds it mended";
  EXPECT_EQ(bench.status().tree_mismatches, 0u);
}

}  // namespace
}  // namespace norn
