#include "core/replication/minter.h"

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

constexpr uint64_t kLease = 4;

ClusterConfig Cluster() {
  ClusterConfig cluster;
  cluster.name = "cluster";
  cluster.partitions = 4;
  cluster.buckets[0].n = 1;
  cluster.buckets[0].r = 1;
  cluster.buckets[0].w = 1;
  MemberConfig member;
  member.id = 7;
  member.address = "a";
  cluster.members.push_back(member);
  return cluster;
}

NodeOptions Options() {
  NodeOptions options;
  options.id = 7;
  options.lease_counters = kLease;
  return options;
}

// A minter through many lives on one disk, of which only the slot matters.
class Lives {
 public:
  void Start(uint64_t seed, bool doubtful) {
    node_ = std::make_unique<NodeContext>(Cluster(), Options());
    node_->random = Random(seed);
    minter_ = std::make_unique<Minter>(*node_);
    writing_.reset();
    StoreRecovery recovery;
    recovery.created = disk_.empty();
    recovery.doubtful = doubtful;
    recovery.lease = disk_;
    StepContext step{now_, out_};
    minter_->Start(step, recovery);
    TakeWrites();
  }
  // The slot write under way ends. A write that failed may have come through none the less.
  bool FinishWrite(bool ok, bool persisted) {
    if (!writing_.has_value()) return false;
    if (ok || persisted) disk_ = *writing_;
    writing_.reset();
    StoreReply reply;
    if (!ok) reply.status = absl::UnavailableError("disk");
    StepContext step{now_, out_};
    const bool may_mint = minter_->OnStoreReply(step, reply);
    TakeWrites();
    return may_mint;
  }
  void Crash(bool persisted) {
    if (writing_.has_value() && persisted) disk_ = *writing_;
    minter_.reset();
  }
  std::optional<Dot> TryMint(PartitionId partition) {
    Dot dot;
    StepContext step{now_, out_};
    const bool minted = minter_->TryMint(step, partition, &dot);
    TakeWrites();
    if (!minted) return std::nullopt;
    return dot;
  }
  void Retire(PartitionId partition, Incarnation incarnation) {
    StepContext step{now_, out_};
    minter_->Retire(step, partition, incarnation);
    TakeWrites();
  }
  void Wait(int64_t us) {
    now_.monotonic_us += us;
    StepContext step{now_, out_};
    minter_->OnTimer(step);
    TakeWrites();
  }
  std::string& disk() { return disk_; }
  bool writing() const { return writing_.has_value(); }
  Minter& minter() { return *minter_; }
  const NodeStatus& status() const { return node_->status; }

 private:
  void TakeWrites() {
    for (StoreRequest& request : out_.store) {
      ASSERT_FALSE(writing_.has_value()) << "one slot write at a time";
      writing_ = std::get<StoreSlot>(request).bytes;
    }
    out_.Clear();
  }

  Now now_;
  Effects out_;
  std::string disk_;
  std::unique_ptr<NodeContext> node_;
  std::unique_ptr<Minter> minter_;
  std::optional<std::string> writing_;
};

TEST(MinterTest, NothingIsMintedBeforeTheLeaseIsDurable) {
  Lives lives;
  lives.Start(1, false);
  EXPECT_FALSE(lives.minter().ready());
  EXPECT_FALSE(lives.TryMint(0).has_value());
  EXPECT_TRUE(lives.FinishWrite(true, true));
  EXPECT_TRUE(lives.minter().ready());
  const std::optional<Dot> dot = lives.TryMint(0);
  ASSERT_TRUE(dot.has_value());
  EXPECT_EQ(NodeOf(dot->incarnation), 7);
  EXPECT_EQ(dot->counter, 1u);
}

TEST(MinterTest, ItAsksForMoreAtHalfALeaseAndNobodyWaits) {
  Lives lives;
  lives.Start(1, false);
  lives.FinishWrite(true, true);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(lives.TryMint(2).has_value()) << i;
    lives.FinishWrite(true, true);
  }
  // Without answers it stops at what is durable.
  int minted = 0;
  while (lives.TryMint(2).has_value()) ++minted;
  EXPECT_LE(minted, static_cast<int>(2 * kLease));
  EXPECT_TRUE(lives.writing());
}

TEST(MinterTest, ARestartGoesOnBehindTheLease) {
  Lives lives;
  lives.Start(1, false);
  lives.FinishWrite(true, true);
  const Dot first = *lives.TryMint(0);
  lives.Crash(false);
  lives.Start(2, false);
  lives.FinishWrite(true, true);
  const Dot second = *lives.TryMint(0);
  EXPECT_EQ(second.incarnation, first.incarnation);
  EXPECT_EQ(second.counter, kLease + 1);
}

TEST(MinterTest, DoubtBeginsNewIncarnationsEverywhere) {
  Lives lives;
  lives.Start(1, false);
  lives.FinishWrite(true, true);
  std::set<Incarnation> before;
  for (PartitionId p = 0; p < 4; ++p) before.insert(lives.TryMint(p)->incarnation);
  EXPECT_EQ(before.size(), 4u);
  lives.Crash(true);
  lives.Start(2, /*doubtful=*/true);
  lives.FinishWrite(true, true);
  for (PartitionId p = 0; p < 4; ++p) {
    EXPECT_EQ(before.count(lives.TryMint(p)->incarnation), 0u);
  }
}

TEST(MinterTest, ADamagedSlotBeginsNewIncarnations) {
  Lives lives;
  lives.Start(1, false);
  lives.FinishWrite(true, true);
  const Incarnation before = lives.TryMint(0)->incarnation;
  const std::string good = lives.disk();
  for (size_t length = 0; length < good.size(); ++length) {
    lives.Crash(false);
    lives.disk() = good.substr(0, length);
    lives.Start(2 + length, false);
    lives.FinishWrite(true, true);
    EXPECT_NE(lives.TryMint(0)->incarnation, before) << length;
  }
  lives.Crash(false);
  lives.disk() = good + "x";
  lives.Start(1000, false);
  lives.FinishWrite(true, true);
  EXPECT_NE(lives.TryMint(0)->incarnation, before);
}

TEST(MinterTest, RetireEndsOneIncarnationOnce) {
  Lives lives;
  lives.Start(1, false);
  lives.FinishWrite(true, true);
  const Incarnation before = lives.TryMint(0)->incarnation;
  const Incarnation other = lives.TryMint(1)->incarnation;
  const uint64_t begun = lives.status().incarnations;
  lives.Retire(0, before);
  lives.Retire(0, before);  // a second put found out, too
  EXPECT_EQ(lives.status().incarnations, begun + 1);
  EXPECT_FALSE(lives.TryMint(0).has_value()) << "its lease is not durable yet";
  EXPECT_EQ(lives.TryMint(1)->incarnation, other);
  while (lives.writing()) lives.FinishWrite(true, true);
  EXPECT_NE(lives.TryMint(0)->incarnation, before);
  EXPECT_EQ(lives.TryMint(1)->incarnation, other);
}

TEST(MinterTest, ARetiredIncarnationIsNotServedByTheWriteUnderWay) {
  Lives lives;
  lives.Start(1, false);
  lives.FinishWrite(true, true);
  const Incarnation before = lives.TryMint(0)->incarnation;
  while (!lives.writing()) lives.TryMint(0);
  lives.Retire(0, before);
  lives.FinishWrite(true, true);  // reserved for the incarnation that is over
  EXPECT_FALSE(lives.TryMint(0).has_value());
  lives.FinishWrite(true, true);
  EXPECT_NE(lives.TryMint(0)->incarnation, before);
}

TEST(MinterTest, AFailedWriteIsTriedAgain) {
  Lives lives;
  lives.Start(1, false);
  EXPECT_FALSE(lives.FinishWrite(false, false));
  EXPECT_FALSE(lives.minter().ready());
  EXPECT_NE(lives.minter().NextDeadline(), kNever);
  EXPECT_FALSE(lives.TryMint(0).has_value());
  EXPECT_FALSE(lives.writing()) << "not before its time";
  lives.Wait(lives.minter().NextDeadline());
  EXPECT_TRUE(lives.writing());
  EXPECT_TRUE(lives.FinishWrite(true, true));
  EXPECT_TRUE(lives.TryMint(0).has_value());
}

// The law: whatever the disk does to the slot, short of giving back an older one, no dot is
// handed out twice.
RC_GTEST_PROP(MinterProperty, NoDotTwice, (uint64_t seed)) {
  Random random(seed);
  Lives lives;
  lives.Start(random.Next64(), false);
  std::set<Dot> minted;
  std::optional<Dot> last;
  for (int i = 0; i < 500; ++i) {
    const PartitionId partition = static_cast<PartitionId>(random.Below(4));
    switch (random.Below(10)) {
      case 0:
        lives.Crash(/*persisted=*/random.Chance(1, 2));
        if (random.Chance(1, 10)) lives.disk().clear();
        lives.Start(random.Next64(), /*doubtful=*/random.Chance(1, 4));
        break;
      case 1:
      case 2:
        lives.FinishWrite(true, true);
        break;
      case 3:
        lives.FinishWrite(false, /*persisted=*/random.Chance(1, 2));
        break;
      case 4:
        lives.Wait(500'000);
        break;
      case 5:
        if (last.has_value() && random.Chance(1, 3)) lives.Retire(partition, last->incarnation);
        break;
      default:
        if (const std::optional<Dot> dot = lives.TryMint(partition)) {
          RC_ASSERT(minted.insert(*dot).second);
          RC_ASSERT(dot->counter > 0);
          last = dot;
        }
    }
  }
}

}  // namespace
}  // namespace norn
