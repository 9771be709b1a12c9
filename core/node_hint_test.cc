// Sloppy quorums and hinted handoff: stand-ins take what cannot reach its owners, durably, and
// hand it over.

#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/testing/mini_cluster.h"
#include "core/testing/sloppy_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::CrashAll;
using testing::Delete;
using testing::Describe;
using testing::Fate;
using testing::Get;
using testing::kSecond;
using testing::kSuspected;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;
using testing::Sloppy;
using testing::ValuesOf;
using testing::Walk;
using Outcome = ClientReply::Outcome;
using Values = std::vector<std::string>;

ClientRequest PutBeside(const std::string& key, const std::string& value, int w = 0) {
  ClientRequest request = testing::PutBeside(key, value);
  request.quorum = w;
  return request;
}

TEST(NodeHintTest, AStandInsCopyCountsAndIsHandedOver) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  CrashAll(cluster, {walk.owners[1], walk.owners[2]});
  const ClientReply put = cluster.Call(walk.owners[0], Put("k", "v", 3));
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.replicas, 3);
  EXPECT_EQ(put.hints, 2);
  // The first two of the walk stand in, one for each, in order.
  const NodeId first = walk.stand_ins[0];
  EXPECT_EQ(ValuesOf(cluster.HintAt(first, "k")), Values{"v"});
  EXPECT_EQ(ValuesOf(cluster.HintAt(walk.stand_ins[1], "k")), Values{"v"});
  EXPECT_EQ(cluster.HintAt(walk.stand_ins[2], "k"), "");
  EXPECT_EQ(cluster.RecordAt(first, "k"), "");  // apart from what it owns
  EXPECT_EQ(cluster.Status(first).hints_held, 1u);
  EXPECT_GT(cluster.Status(first).hints_oldest_wall_us, 0);

  cluster.Start(walk.owners[1]);
  cluster.Run(kSuspected);
  EXPECT_EQ(ValuesOf(cluster.RecordAt(walk.owners[1], "k")), Values{"v"});
  EXPECT_EQ(cluster.Status(first).hints_held, 0u);
  EXPECT_EQ(cluster.Status(first).hint_bytes, 0u);
  EXPECT_EQ(cluster.Status(first).hints_delivered, 1u);
  EXPECT_EQ(cluster.HintAt(first, "k"), "");
  EXPECT_EQ(cluster.Status(walk.stand_ins[1]).hints_held, 1u);  // the other is still away
}

TEST(NodeHintTest, AStrictBucketHasNoStandIns) {
  MiniOptions options = Sloppy();
  options.bucket.sloppy = false;
  MiniCluster cluster(options);
  const Walk walk(cluster);
  CrashAll(cluster, {walk.owners[1], walk.owners[2]});
  EXPECT_EQ(cluster.Call(walk.owners[0], Put("k", "v")).outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.Call(walk.owners[0], Get("k")).outcome, Outcome::kUnavailable);
  for (const NodeId node : walk.stand_ins) EXPECT_EQ(cluster.HintAt(node, "k"), "");
}

// Nobody is given a hint because someone is slow, even if the write fails for it.
TEST(NodeHintTest, SilenceAloneMakesNoHint) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  cluster.SetJudge([](NodeId, NodeId, const Message& message) {
    return std::holds_alternative<ReplicaWrite>(message) ? Fate::kHold : Fate::kDeliver;
  });
  const uint64_t ticket = cluster.Ask(walk.owners[0], Put("k", "v"));
  cluster.Run(kSecond);
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.Sent("ReplicaWrite"), 4u);  // two replicas, and once more half-way
  cluster.ReleaseHeld();
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(Describe(*cluster.ReplyTo(ticket)), "ok 2");
  EXPECT_EQ(cluster.ReplyTo(ticket)->hints, 0);
}

TEST(NodeHintTest, ARequestWaitsForTheFailureDetector) {
  MiniOptions options = Sloppy();
  options.node.request_timeout_us = 8 * kSecond;
  MiniCluster cluster(options);
  const Walk walk(cluster);
  cluster.Crash(walk.owners[1]);
  cluster.Crash(walk.owners[2]);
  const ClientReply put = cluster.Call(walk.owners[0], Put("k", "v"));
  EXPECT_EQ(Describe(put), "ok 2");
  EXPECT_EQ(put.hints, 1);
}

TEST(NodeHintTest, WhoRefusesIsStoodInFor) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  cluster.store(walk.owners[1]).SetFull(true);
  const ClientReply put = cluster.Call(walk.owners[0], Put("k", "v", 3));
  EXPECT_EQ(Describe(put), "ok 3");
  EXPECT_EQ(put.hints, 1);
  EXPECT_EQ(ValuesOf(cluster.HintAt(walk.stand_ins[0], "k")), Values{"v"});
  // It is reachable all along, but takes the hint only when it has room.
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Status(walk.stand_ins[0]).hints_held, 1u);
  cluster.store(walk.owners[1]).SetFull(false);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Status(walk.stand_ins[0]).hints_held, 0u);
  EXPECT_EQ(ValuesOf(cluster.RecordAt(walk.owners[1], "k")), Values{"v"});
}

TEST(NodeHintTest, TheNextStandInIsAskedWhenOneRefuses) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  CrashAll(cluster, {walk.owners[1]});
  cluster.store(walk.stand_ins[0]).SetFull(true);
  const ClientReply put = cluster.Call(walk.owners[0], Put("k", "v", 3));
  EXPECT_EQ(Describe(put), "ok 3");
  EXPECT_EQ(put.hints, 1);
  EXPECT_EQ(ValuesOf(cluster.HintAt(walk.stand_ins[1], "k")), Values{"v"});
  EXPECT_EQ(cluster.Status(walk.stand_ins[0]).hints_held, 0u);
}

// Each stand-in counts for one owner: W acknowledgements are W servers.
TEST(NodeHintTest, TooFewServersAreTooFew) {
  MiniCluster cluster(Sloppy(4));
  const Walk walk(cluster);
  CrashAll(cluster, {walk.owners[1], walk.owners[2]});
  EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Put("k", "v", 2))), "ok 2");
  const ClientReply put = cluster.Call(walk.owners[0], Put("k", "w", 3));
  EXPECT_EQ(put.outcome, Outcome::kUnknown);
  EXPECT_EQ(put.replicas, 2);
}

TEST(NodeHintTest, StandInsMintWhenNoOwnerIsThere) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  CrashAll(cluster, walk.owners);
  const NodeId first = walk.stand_ins[0];
  const NodeId second = walk.stand_ins[1];
  const ClientReply put = cluster.Call(first, Put("k", "v", 3));
  EXPECT_EQ(Describe(put), "ok 3");
  EXPECT_EQ(put.hints, 3);
  // Others see it, and write after it; whoever is asked.
  EXPECT_EQ(Describe(cluster.Call(second, Get("k", 3))), "ok 3: v");
  const ClientReply after =
      cluster.Call(second, testing::PutAfter("k", "w", cluster.Call(first, Get("k")).context));
  EXPECT_EQ(after.outcome, Outcome::kOk);
  EXPECT_EQ(Describe(cluster.Call(first, Get("k"))), "ok 2: w");
  for (const NodeId owner : walk.owners) cluster.Start(owner);
  cluster.Run(2 * kSuspected);
  EXPECT_EQ(cluster.Difference(), "");
  EXPECT_EQ(ValuesOf(cluster.RecordAt(walk.owners[0], "k")), Values{"w"});
  for (const NodeId node : walk.stand_ins) {
    EXPECT_EQ(cluster.HintAt(node, "k"), "");
    EXPECT_EQ(cluster.Status(node).hints_held, 0u);
  }
}

// Who is not among the first N healthy nodes of the walk hands the write to one that is.
TEST(NodeHintTest, AStrangerForwardsToAStandIn) {
  MiniCluster cluster(Sloppy(8));
  const Walk walk(cluster);
  CrashAll(cluster, walk.owners);
  const NodeId stranger = walk.stand_ins[3];
  const uint64_t forwards = cluster.Sent("Forward");
  EXPECT_EQ(Describe(cluster.Call(stranger, Put("k", "v"))), "ok 2");
  EXPECT_EQ(cluster.Sent("Forward"), forwards + 1);
  EXPECT_EQ(ValuesOf(cluster.HintAt(walk.stand_ins[0], "k")), Values{"v"});
  EXPECT_EQ(cluster.HintAt(stranger, "k"), "");
  EXPECT_EQ(Describe(cluster.Call(walk.stand_ins[2], Put("k", "w"))), "ok 2");
  EXPECT_EQ(cluster.Sent("Forward"), forwards + 1);  // that one mints itself
}

// A forward that may have been sent is never tried elsewhere, with stand-ins either.
TEST(NodeHintTest, AForwardToAStandInIsNotRetried) {
  MiniCluster cluster(Sloppy(8));
  const Walk walk(cluster);
  CrashAll(cluster, walk.owners);
  cluster.SetJudge([](NodeId, NodeId, const Message& message) {
    return std::holds_alternative<Forward>(message) ? Fate::kDrop : Fate::kDeliver;
  });
  const uint64_t forwards = cluster.Sent("Forward");
  EXPECT_EQ(cluster.Call(walk.stand_ins[3], Put("k", "v")).outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.Sent("Forward"), forwards + 1);
}

// Regression 8.
TEST(NodeHintTest, ARestartedStandInGoesOnHandingOver) {
  MiniOptions options = Sloppy();
  options.node.exchange_page_entries = 2;  // its scan takes several pages
  MiniCluster cluster(options);
  const Walk walk(cluster);
  CrashAll(cluster, {walk.owners[1]});
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 7; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (cluster.PartitionOf(key) != cluster.PartitionOf("k")) continue;
    EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Put(key, "v", 3))), "ok 3");
    keys.push_back(key);
  }
  const NodeId stand_in = walk.stand_ins[0];
  const uint64_t bytes = cluster.Status(stand_in).hint_bytes;
  cluster.Crash(stand_in);
  cluster.Start(stand_in);
  cluster.Settle();
  EXPECT_EQ(cluster.Status(stand_in).hints_held, 7u);
  EXPECT_EQ(cluster.Status(stand_in).hint_bytes, bytes);
  cluster.Start(walk.owners[1]);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Status(stand_in).hints_held, 0u);
  EXPECT_EQ(cluster.Difference(), "");
}

// It may count toward a W: a device that could not read it for a while is no reason to forget it.
TEST(NodeHintTest, AHintThatCannotBeReadAtTheStartIsFoundOnceItCan) {
  MiniOptions options = Sloppy();
  options.node.damage_check_interval_us = 3'600'000'000;  // nobody gives it up
  MiniCluster cluster(options);
  const Walk walk(cluster);
  CrashAll(cluster, {walk.owners[1]});
  EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Put("k", "v", 3))), "ok 3");
  const NodeId stand_in = walk.stand_ins[0];
  cluster.Crash(stand_in);
  cluster.store(stand_in).SpoilKey(MakeRecordKey(0, "k"));
  cluster.Start(stand_in);
  cluster.Start(walk.owners[1]);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Status(stand_in).hints_held, 0u);
  EXPECT_NE(cluster.HintAt(stand_in, "k"), "");
  cluster.store(stand_in).MendAll();
  cluster.Run(15'000'000);
  EXPECT_EQ(cluster.Status(stand_in).hints_delivered, 1u);
  EXPECT_EQ(cluster.HintAt(stand_in, "k"), "");
}

// Regression 9: the owner crashes after it took the hint, and before that was durable.
TEST(NodeHintTest, AHintStaysUntilItsOwnerHoldsItDurably) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  const NodeId owner = walk.owners[1];
  const NodeId stand_in = walk.stand_ins[0];
  CrashAll(cluster, {owner});
  EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Put("k", "v", 3))), "ok 3");
  cluster.SetJudge([&](NodeId, NodeId to, const Message& message) {
    return to == owner && std::holds_alternative<ReplicaWrite>(message) ? Fate::kHold
                                                                        : Fate::kDeliver;
  });
  cluster.Start(owner);
  cluster.Run(kSecond);
  ASSERT_GT(cluster.held(), 0u);
  cluster.SetJudge(nullptr);
  cluster.store(owner).Hold(true);
  cluster.ReleaseHeld();
  cluster.Run(kSuspected);
  EXPECT_NE(cluster.RecordAt(owner, "k"), "");
  EXPECT_EQ(ValuesOf(cluster.HintAt(stand_in, "k")), Values{"v"});
  cluster.Crash(owner);
  cluster.store(owner).Hold(false);
  cluster.Start(owner);
  EXPECT_EQ(cluster.RecordAt(owner, "k"), "");
  cluster.Run(kSuspected);
  EXPECT_EQ(ValuesOf(cluster.RecordAt(owner, "k")), Values{"v"});
  EXPECT_EQ(cluster.HintAt(stand_in, "k"), "");
}

// Regression 7: what came in while the hint was on its way is not removed with it.
TEST(NodeHintTest, AHintThatChangedMeanwhileIsHandedOverAgain) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  const NodeId owner = walk.owners[1];
  const NodeId stand_in = walk.stand_ins[0];
  CrashAll(cluster, {owner});
  EXPECT_EQ(Describe(cluster.Call(walk.owners[0], PutBeside("k", "a"))), "ok 2");
  cluster.Settle();
  bool hold = true;
  cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
    const bool acknowledgement = std::holds_alternative<ReplicaWriteReply>(message);
    return hold && acknowledgement && from == owner && to == stand_in ? Fate::kHold
                                                                      : Fate::kDeliver;
  });
  cluster.Start(owner);
  for (int i = 0; i < 100 && cluster.held() == 0; ++i) cluster.Run(kSecond / 20);
  ASSERT_EQ(cluster.held(), 1u);  // the owner has "a", the stand-in does not know yet
  // The owner is gone again, in the eyes of those who write.
  ReplicaWrite write;
  write.request = 1;
  write.layout = cluster.layout().version();
  write.partition = cluster.PartitionOf("k");
  write.key = MakeRecordKey(0, "k");
  write.hint_for = owner;
  Record more;
  more.Put(Version{Dot{MakeIncarnation(walk.owners[0], 77), 1}, 5, false, "b"}, VersionVector());
  write.record = more.Encode();
  cluster.Deliver(stand_in, MessageReceived{walk.owners[0], write});
  cluster.Settle();
  hold = false;
  cluster.ReleaseHeld();
  cluster.Settle();
  EXPECT_EQ(ValuesOf(cluster.HintAt(stand_in, "k")).size(), 2u);
  cluster.Run(kSuspected);
  EXPECT_EQ(ValuesOf(cluster.RecordAt(owner, "k")).size(), 2u);
  EXPECT_EQ(cluster.HintAt(stand_in, "k"), "");
  EXPECT_EQ(cluster.Status(stand_in).hints_held, 0u);
}

// Regression 28: the stand-in mints, hands over and deletes, and mints again for the same key.
// Under its old incarnation the second version would cover the first.
TEST(NodeHintTest, AStandInThatHandedOverMintsUnderANewIncarnation) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins[0];
  CrashAll(cluster, walk.owners);
  EXPECT_EQ(cluster.Call(stand_in, PutBeside("k", "first")).outcome, Outcome::kOk);
  const uint64_t incarnations = cluster.Status(stand_in).incarnations;
  for (const NodeId owner : walk.owners) cluster.Start(owner);
  cluster.Run(2 * kSuspected);
  ASSERT_EQ(cluster.HintAt(stand_in, "k"), "");
  CrashAll(cluster, walk.owners);
  EXPECT_EQ(cluster.Call(stand_in, PutBeside("k", "second")).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Status(stand_in).incarnations, incarnations + 1);
  for (const NodeId owner : walk.owners) cluster.Start(owner);
  cluster.Run(2 * kSuspected);
  for (const NodeId owner : walk.owners) {
    EXPECT_EQ(ValuesOf(cluster.RecordAt(owner, "k")).size(), 2u);  // siblings: both are there
  }
}

TEST(NodeHintTest, ARestartedStandInMintsUnderANewIncarnation) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins[0];
  CrashAll(cluster, walk.owners);
  EXPECT_EQ(cluster.Call(stand_in, PutBeside("k", "first", 1)).outcome, Outcome::kOk);
  cluster.Crash(stand_in);
  cluster.Start(stand_in);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Call(stand_in, PutBeside("k", "second", 1)).outcome, Outcome::kOk);
  Record record;
  ASSERT_TRUE(Record::Decode(cluster.HintAt(stand_in, "k"), &record));
  EXPECT_EQ(record.context().size(), 2u);
  EXPECT_EQ(record.versions().size(), 2u);
}

TEST(NodeHintTest, AFullStandInRefusesAndDropsNothing) {
  MiniOptions options = Sloppy(4);
  options.node.hint_bytes_max = 1000;
  MiniCluster cluster(options);
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins[0];
  CrashAll(cluster, {walk.owners[1]});
  std::vector<std::string> held;
  int refused = 0;
  for (int i = 0; held.size() + static_cast<size_t>(refused) < 12; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (cluster.PartitionOf(key) != cluster.PartitionOf("k")) continue;
    const ClientReply put = cluster.Call(walk.owners[0], Put(key, std::string(100, 'v'), 3));
    if (put.outcome == Outcome::kOk) held.push_back(key);
    refused += put.outcome == Outcome::kUnknown ? 1 : 0;
  }
  EXPECT_GT(held.size(), 2u);
  EXPECT_GT(refused, 2);
  EXPECT_EQ(cluster.Status(stand_in).hints_held, held.size());
  EXPECT_LE(cluster.Status(stand_in).hint_bytes, 1000u);
  EXPECT_GE(cluster.Status(stand_in).hints_refused, static_cast<uint64_t>(refused));
  for (const std::string& key : held) EXPECT_NE(cluster.HintAt(stand_in, key), "");
  // With no owner there it refuses to mint, and then for certain nothing was done.
  CrashAll(cluster, {walk.owners[0], walk.owners[2]});
  const ClientReply minted = cluster.Call(stand_in, Put("k", std::string(300, 'v'), 1));
  EXPECT_EQ(minted.outcome, Outcome::kOverloaded);
  EXPECT_NE(minted.message.find("hint_bytes_max"), std::string::npos);
}

// Regression 19: handing over goes at its own pace.
TEST(NodeHintTest, HandingOverKeepsToItsRate) {
  MiniOptions options = Sloppy();
  options.node.hint_bytes_per_second = 1000;
  MiniCluster cluster(options);
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins[0];
  CrashAll(cluster, {walk.owners[1]});
  int puts = 0;
  for (int i = 0; puts < 40; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (cluster.PartitionOf(key) != cluster.PartitionOf("k")) continue;
    EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Put(key, std::string(400, 'v'), 3))), "ok 3");
    ++puts;
  }
  const uint64_t bytes = cluster.Status(stand_in).hint_bytes;
  ASSERT_GT(bytes, 16'000u);
  cluster.Start(walk.owners[1]);
  cluster.Run(5 * kSecond);
  const uint64_t later = cluster.Status(stand_in).hint_bytes;
  EXPECT_LT(later, bytes);
  EXPECT_GT(later, bytes - 7'000u);
  cluster.Run(30 * kSecond);
  EXPECT_EQ(cluster.Status(stand_in).hint_bytes, 0u);
  EXPECT_EQ(cluster.Difference(), "");
}

TEST(NodeHintTest, DoubledAndLateDeliveriesAreHarmless) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  const NodeId owner = walk.owners[1];
  CrashAll(cluster, {owner});
  EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Put("k", "old", 3))), "ok 3");
  Message kept;
  cluster.SetJudge([&](NodeId, NodeId to, const Message& message) {
    if (to == owner && std::holds_alternative<ReplicaWrite>(message)) kept = message;
    return Fate::kDouble;
  });
  cluster.Start(owner);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.HintAt(walk.stand_ins[0], "k"), "");
  EXPECT_EQ(Describe(cluster.Call(owner, Put("k", "new", 3))), "ok 3");
  cluster.Deliver(owner, MessageReceived{walk.stand_ins[0], kept});
  cluster.Run(kSecond);
  EXPECT_EQ(cluster.Difference(), "");
  EXPECT_EQ(Describe(cluster.Call(owner, Get("k"))), "ok 2: new");
}

// Regression 3: a late tombstone from a stand-in deletes what its writer had seen, and no more.
TEST(NodeHintTest, ALateTombstoneSwallowsNoNewValue) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  EXPECT_EQ(cluster.Call(walk.owners[0], Put("k", "old", 3)).outcome, Outcome::kOk);
  const std::string seen = cluster.Call(walk.owners[0], Get("k")).context;
  CrashAll(cluster, walk.owners);
  ClientRequest deletion = Delete("k");
  deletion.base = ClientRequest::Base::kToken;
  deletion.context = seen;
  EXPECT_EQ(cluster.Call(walk.stand_ins[0], deletion).outcome, Outcome::kOk);
  cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
    const bool hint = std::holds_alternative<ReplicaWrite>(message) &&
                      !cluster.layout().IsReplica(cluster.PartitionOf("k"), from);
    return hint && cluster.layout().IsReplica(cluster.PartitionOf("k"), to) ? Fate::kDrop
                                                                            : Fate::kDeliver;
  });
  for (const NodeId owner : walk.owners) cluster.Start(owner);
  cluster.Run(kSuspected);
  EXPECT_EQ(cluster.Call(walk.owners[0], Put("k", "new", 3)).outcome, Outcome::kOk);
  cluster.SetJudge(nullptr);
  cluster.Run(2 * kSuspected);
  EXPECT_EQ(cluster.Difference(), "");
  EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Get("k"))), "ok 2: new");
}

TEST(NodeHintTest, WhoMustNotHoldAHintRefuses) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  std::vector<ReplicaStatus> statuses;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    const auto* reply = std::get_if<ReplicaWriteReply>(&message);
    if (reply != nullptr) statuses.push_back(reply->status);
    return Fate::kDeliver;
  });
  Record record;
  record.Put(Version{Dot{MakeIncarnation(walk.owners[0], 77), 1}, 5, false, "b"}, VersionVector());
  ReplicaWrite write;
  write.layout = cluster.layout().version();
  write.partition = cluster.PartitionOf("k");
  write.key = MakeRecordKey(0, "k");
  write.record = record.Encode();
  const auto ask = [&](NodeId to, NodeId hint_for, const std::string& bytes) {
    write.hint_for = hint_for;
    write.record = bytes;
    cluster.Deliver(to, MessageReceived{walk.owners[0], write});
    cluster.Settle();
  };
  ask(walk.owners[1], walk.owners[1], record.Encode());
  ask(walk.owners[1], walk.owners[2], record.Encode());
  ask(walk.stand_ins[0], walk.stand_ins[1], record.Encode());
  ask(walk.stand_ins[0], walk.owners[1], "no record");
  write.layout = 99;
  ask(walk.stand_ins[0], walk.owners[1], record.Encode());
  EXPECT_EQ(statuses,
            (std::vector<ReplicaStatus>{ReplicaStatus::kRefused, ReplicaStatus::kRefused,
                                        ReplicaStatus::kWrongLayout, ReplicaStatus::kError,
                                        ReplicaStatus::kWrongLayout}));
  EXPECT_EQ(cluster.Status(walk.stand_ins[0]).hints_held, 0u);
  EXPECT_EQ(cluster.Status(walk.stand_ins[0]).hint_bytes, 0u);

  MiniOptions strict = Sloppy();
  strict.bucket.sloppy = false;
  MiniCluster other(strict);
  other.SetJudge([&](NodeId, NodeId, const Message& message) {
    const auto* reply = std::get_if<ReplicaWriteReply>(&message);
    if (reply != nullptr) statuses.push_back(reply->status);
    return Fate::kDeliver;
  });
  write.layout = other.layout().version();
  write.hint_for = walk.owners[1];
  other.Deliver(walk.stand_ins[0], MessageReceived{walk.owners[0], write});
  other.Settle();
  EXPECT_EQ(statuses.back(), ReplicaStatus::kRefused);
}

TEST(NodeHintTest, AReadFallsBackToAStandInWhenAReplicaFails) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  EXPECT_EQ(cluster.Call(walk.owners[0], Put("k", "v", 3)).outcome, Outcome::kOk);
  cluster.store(walk.owners[1]).SpoilAll(true);
  cluster.store(walk.owners[2]).SpoilAll(true);
  const ClientReply read = cluster.Call(walk.owners[0], Get("k", 3));
  EXPECT_EQ(Describe(read), "ok 3: v");
  EXPECT_EQ(read.hints, 2);
}

// A node that goes down keeps what it holds for others.
TEST(NodeHintTest, ADrainingNodeKeepsItsHints) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  const NodeId stand_in = walk.stand_ins[0];
  CrashAll(cluster, {walk.owners[1]});
  EXPECT_EQ(Describe(cluster.Call(walk.owners[0], Put("k", "v", 3))), "ok 3");
  cluster.Deliver(stand_in, Drain{});
  cluster.Settle();
  EXPECT_TRUE(cluster.node(stand_in).drained());
  cluster.Crash(stand_in);
  EXPECT_EQ(ValuesOf(cluster.HintAt(stand_in, "k")), Values{"v"});
}
}  // namespace
}  // namespace norn
