// Tombstones of sloppy buckets are forgotten when nobody keeps a hint that may be older: what
// members promise, confirm and learn for that (replication/stand_in_epochs.h).

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/testing/mini_cluster.h"
#include "core/testing/sloppy_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::CrashAll;
using testing::Delete;
using testing::Fate;
using testing::Get;
using testing::kSecond;
using testing::kSuspected;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;
using testing::Sloppy;
using testing::Walk;
using Outcome = ClientReply::Outcome;

MiniOptions Removing(int nodes = 5) {
  MiniOptions options = Sloppy(nodes);
  options.partitions = 1;
  options.remove_tombstones = true;
  options.exchange = true;
  options.node.tombstone_keep_us = kSecond;
  options.node.tombstone_interval_us = kSecond / 2;
  return options;
}

// How many replicas of `key` that are up hold something.
int Holders(const MiniCluster& cluster, const std::string& key, BucketId bucket = 0) {
  int holders = 0;
  for (const NodeId replica : cluster.ReplicasOf(key, bucket)) {
    if (cluster.IsUp(replica) && !cluster.RecordAt(replica, key, bucket).empty()) ++holders;
  }
  return holders;
}

bool IsHintFor(const Message& message, NodeId owner) {
  const auto* const write = std::get_if<ReplicaWrite>(&message);
  return write != nullptr && write->hint_for == owner;
}

// "k" is written while its last owner is away, whose hint the first stand-in keeps.
struct Hinted {
  explicit Hinted(MiniCluster& cluster) : walk(cluster), owner(walk.owners.back()) {
    cluster.Crash(owner);
    cluster.Run(kSuspected);
    EXPECT_EQ(cluster.Call(walk.owners.front(), Put("k", "v", 3)).outcome, Outcome::kOk);
    stand_in = walk.stand_ins.front();
    EXPECT_NE(cluster.HintAt(stand_in, "k"), "");
  }

  Walk walk;
  NodeId owner;
  NodeId stand_in = kNoNode;
};

TEST(NodeSloppyRemovalTest, ATombstoneGoesWhenAllMembersAgree) {
  MiniCluster cluster(Removing());
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(kSecond / 2);
  EXPECT_EQ(Holders(cluster, "k"), 3) << "kept a while";
  cluster.Run(3 * kSecond);
  EXPECT_EQ(Holders(cluster, "k"), 0);
  EXPECT_EQ(cluster.Call(1, Put("k", "again", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Get("k", 3)).siblings.size(), 1u);
}

TEST(NodeSloppyRemovalTest, NothingGoesWhileAMemberIsAwayThatHoldsNoReplica) {
  MiniCluster cluster(Removing());
  const Walk walk(cluster);
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  cluster.Crash(walk.stand_ins.back());
  EXPECT_EQ(cluster.Call(walk.owners.front(), Delete("k")).outcome, Outcome::kOk);
  cluster.Run(10 * kSecond);
  EXPECT_EQ(Holders(cluster, "k"), 3);
  cluster.Start(walk.stand_ins.back());
  cluster.Run(10 * kSecond);
  EXPECT_EQ(Holders(cluster, "k"), 0);
}

TEST(NodeSloppyRemovalTest, NothingGoesWhileSomebodyKeepsAHint) {
  MiniOptions options = Removing();
  BucketConfig strict;
  strict.id = 1;
  strict.name = "strict";
  options.more_buckets.push_back(strict);
  MiniCluster cluster(options);
  const Hinted hinted(cluster);
  bool hold = true;
  cluster.SetJudge([&](NodeId from, NodeId, const Message& message) {
    const bool handed = from == hinted.stand_in && std::holds_alternative<ReplicaWrite>(message);
    return handed && hold ? Fate::kDrop : Fate::kDeliver;
  });
  cluster.Start(hinted.owner);
  cluster.Run(2 * kSecond);
  EXPECT_EQ(cluster.Call(hinted.walk.owners.front(), Delete("k")).outcome, Outcome::kOk);
  ClientRequest other = Delete("k");
  other.bucket = 1;
  EXPECT_EQ(cluster.Call(hinted.walk.owners.front(), std::move(other)).outcome, Outcome::kOk);
  cluster.Run(10 * kSecond);
  EXPECT_EQ(Holders(cluster, "k"), 3);
  EXPECT_EQ(Holders(cluster, "k", 1), 0) << "of strict buckets nobody keeps hints";
  hold = false;
  cluster.Run(10 * kSecond);
  EXPECT_EQ(cluster.HintAt(hinted.stand_in, "k"), "");
  EXPECT_EQ(Holders(cluster, "k"), 0);
}

// A copy of a hint is on its way to the stand-in all the while; so is one from there to the owner.
TEST(NodeSloppyRemovalTest, CopiesOfHintsThatAreOlderThanARemovalAreRefused) {
  for (const char* const meanwhile : {"nothing", "restart", "wipe"}) {
    SCOPED_TRACE(meanwhile);
    MiniCluster cluster(Removing());
    const Walk walk(cluster);
    const NodeId owner = walk.owners.back();
    const NodeId stand_in = walk.stand_ins.front();
    std::optional<ReplicaWrite> late_hint;
    std::optional<ReplicaWrite> late_delivery;
    std::vector<ReplicaStatus> answers;
    cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
      if (const auto* write = std::get_if<ReplicaWrite>(&message)) {
        if (IsHintFor(message, owner) && to == stand_in) late_hint = *write;
        if (from == stand_in && to == owner) late_delivery = *write;
      }
      const auto* reply = std::get_if<ReplicaWriteReply>(&message);
      if (reply != nullptr) answers.push_back(reply->status);
      return Fate::kDeliver;
    });
    const Hinted hinted(cluster);
    cluster.Start(owner);
    cluster.Run(3 * kSecond);
    EXPECT_EQ(cluster.Call(walk.owners.front(), Delete("k")).outcome, Outcome::kOk);
    cluster.Run(6 * kSecond);
    ASSERT_EQ(Holders(cluster, "k"), 0);
    ASSERT_TRUE(late_hint.has_value() && late_delivery.has_value());
    if (meanwhile != std::string("nothing")) {
      cluster.Crash(stand_in);
      if (meanwhile == std::string("wipe")) cluster.Wipe(stand_in);
      cluster.Start(stand_in);
      cluster.Run(3 * kSecond);
      EXPECT_EQ(cluster.Status(stand_in).partitions_unheard, 0u);
    }
    answers.clear();
    cluster.Deliver(stand_in, MessageReceived{walk.owners.front(), *late_hint});
    cluster.Deliver(owner, MessageReceived{stand_in, *late_delivery});
    cluster.Settle();
    EXPECT_EQ(answers, (std::vector{ReplicaStatus::kStale, ReplicaStatus::kStale}));
    cluster.Run(6 * kSecond);
    EXPECT_EQ(cluster.HintAt(stand_in, "k"), "");
    EXPECT_EQ(Holders(cluster, "k"), 0);
  }
}

// It may forget what it promised, and take an older hint, before all others have promised.
TEST(NodeSloppyRemovalTest, WhoRestartsAfterItsPromiseStopsTheRound) {
  MiniCluster cluster(Removing());
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins.front();
  bool hold = true;
  std::vector<ReplicaStatus> answers;
  int raises = 0;
  cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
    const auto* attest = std::get_if<HintAttest>(&message);
    if (attest != nullptr && attest->session != 0 && to == stand_in && hold) return Fate::kHold;
    const auto* answer = std::get_if<HintAttestation>(&message);
    if (answer != nullptr && from == stand_in) answers.push_back(answer->status);
    if (std::holds_alternative<EpochRaise>(message)) ++raises;
    return Fate::kDeliver;
  });
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  for (int i = 0; i < 100 && answers.empty(); ++i) cluster.Run(kSecond / 20);
  ASSERT_EQ(answers, std::vector{ReplicaStatus::kOk}) << "it has promised";
  cluster.Crash(stand_in);
  cluster.Wipe(stand_in);
  cluster.Start(stand_in);
  cluster.Run(kSecond / 4);
  answers.clear();
  hold = false;
  cluster.ReleaseHeld();
  cluster.Settle();
  EXPECT_EQ(answers, std::vector{ReplicaStatus::kIncomplete});
  EXPECT_EQ(raises, 0);
  EXPECT_EQ(Holders(cluster, "k"), 3);
  cluster.Run(10 * kSecond);
  EXPECT_EQ(Holders(cluster, "k"), 0);
}

// What it heard from those that had not entered the epoch is an older one.
TEST(NodeSloppyRemovalTest, WhoKnowsOfALaterLifeOfAnotherReplicaEntersNoEpoch) {
  MiniCluster cluster(Removing());
  const Walk walk(cluster);
  const NodeId wiped = walk.owners[1];
  const NodeId other = walk.owners[2];
  bool hold = true;
  std::vector<ReplicaStatus> answers;
  cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
    if (std::holds_alternative<EpochRaise>(message) && to == other && hold) return Fate::kHold;
    const auto* answer = std::get_if<EpochAnswer>(&message);
    if (answer != nullptr) answers.push_back(from == other ? answer->status : ReplicaStatus::kOk);
    return Fate::kDeliver;
  });
  EXPECT_EQ(cluster.Call(walk.owners[0], Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(walk.owners[0], Delete("k")).outcome, Outcome::kOk);
  for (int i = 0; i < 100 && answers.empty(); ++i) cluster.Run(kSecond / 20);
  ASSERT_EQ(answers, std::vector{ReplicaStatus::kOk});
  cluster.Crash(wiped);
  cluster.Wipe(wiped);
  cluster.Start(wiped);
  cluster.Run(kSecond / 4);
  answers.clear();
  hold = false;
  cluster.ReleaseHeld();
  cluster.Settle();
  EXPECT_EQ(answers, std::vector{ReplicaStatus::kIncomplete});
  EXPECT_GE(Holders(cluster, "k"), 2);
}

TEST(NodeSloppyRemovalTest, AWipedStandInTakesNothingBeforeItHasHeardOfTheEpoch) {
  MiniCluster cluster(Removing());
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins.front();
  cluster.Crash(stand_in);
  cluster.Wipe(stand_in);
  CrashAll(cluster, walk.owners);
  cluster.Start(stand_in);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Status(stand_in).partitions_unheard, 1u);
  EXPECT_EQ(cluster.Call(stand_in, Put("k", "v", 1)).outcome, Outcome::kOverloaded);
  EXPECT_NE(cluster.Call(stand_in, Get("k", 1)).outcome, Outcome::kOk)
      << "what it does not have it may have lost";
  cluster.Start(walk.owners[0]);
  cluster.Start(walk.owners[1]);
  cluster.Run(3 * kSecond);
  EXPECT_EQ(cluster.Status(stand_in).partitions_unheard, 0u);
  cluster.Crash(walk.owners[0]);
  cluster.Crash(walk.owners[1]);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Call(stand_in, Put("k", "v", 1)).outcome, Outcome::kOk);
}

// The disk comes back as it was while it kept the hint.
TEST(NodeSloppyRemovalTest, ARestoredStandInThrowsItsOldHintsAway) {
  MiniCluster cluster(Removing());
  const Hinted hinted(cluster);
  const std::string standing = cluster.store(hinted.stand_in).Slot("standing");
  const std::string hint = cluster.store(hinted.stand_in).Get(kHintSpace, MakeRecordKey(0, "k"));
  cluster.Start(hinted.owner);
  cluster.Run(3 * kSecond);
  EXPECT_EQ(cluster.Call(hinted.walk.owners.front(), Delete("k")).outcome, Outcome::kOk);
  cluster.Run(6 * kSecond);
  ASSERT_EQ(Holders(cluster, "k"), 0);
  cluster.Crash(hinted.stand_in);
  cluster.store(hinted.stand_in).Plant(kHintSpace, MakeRecordKey(0, "k"), hint);
  cluster.store(hinted.stand_in).SetSlot("standing", standing);
  cluster.Start(hinted.stand_in);
  cluster.Run(10 * kSecond);
  EXPECT_EQ(Holders(cluster, "k"), 0);
  EXPECT_EQ(cluster.HintAt(hinted.stand_in, "k"), "");
  EXPECT_EQ(cluster.Status(hinted.stand_in).partitions_unheard, 0u) << "it serves again";
  EXPECT_TRUE(cluster.Call(2, Get("k", 3)).siblings.empty());
}

// A hint that nobody could read is one that may be there.
TEST(NodeSloppyRemovalTest, NothingGoesWhileHintsCannotBeRead) {
  MiniCluster cluster(Removing());
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins.front();
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  cluster.Crash(stand_in);
  cluster.store(stand_in).Plant(kHintSpace, MakeRecordKey(0, "k"), "no hint");
  cluster.Start(stand_in);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(10 * kSecond);
  EXPECT_EQ(Holders(cluster, "k"), 3);
}

}  // namespace
}  // namespace norn
