// Buckets: their own N, levels, conflict policy, time to live, limits; and contexts that are
// not for them.

#include <string>
#include <vector>

#include "core/causality/context_token.h"
#include "core/causality/record.h"
#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::Delete;
using testing::Describe;
using testing::Fate;
using testing::Get;
using testing::In;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;
using testing::PutAfter;
using testing::PutBeside;
using Outcome = ClientReply::Outcome;

constexpr BucketId kLast = 1;   // last writer wins
constexpr BucketId kSmall = 2;  // n 1, small limits
constexpr BucketId kBrief = 3;  // values live for a second

MiniOptions Options(int nodes = 5) {
  MiniOptions options;
  options.nodes = nodes;
  BucketConfig last{.id = kLast, .name = "last"};
  last.conflicts = ConflictPolicy::kLww;
  BucketConfig small{.id = kSmall, .name = "small", .n = 1, .r = 1, .w = 1};
  small.key_bytes_max = 4;
  small.value_bytes_max = 4;
  small.siblings_max = 2;
  BucketConfig brief{.id = kBrief, .name = "brief"};
  brief.ttl_us = 1'000'000;
  options.more_buckets = {last, small, brief};
  return options;
}

std::vector<std::string> ValuesOf(const ClientReply& reply) {
  std::vector<std::string> values;
  for (const Sibling& sibling : reply.siblings) values.push_back(sibling.value);
  return values;
}

using Values = std::vector<std::string>;

TEST(NodeBucketTest, EachBucketHasItsOwnReplicas) {
  MiniCluster cluster(Options());
  EXPECT_EQ(cluster.ReplicasOf("k", kSmall).size(), 1u);
  EXPECT_EQ(cluster.ReplicasOf("k", kLast).size(), 3u);
  for (NodeId via = 1; via <= 5; ++via) {
    const ClientReply put = cluster.Call(via, In(kSmall, Put("k", "v")));
    ASSERT_EQ(put.outcome, Outcome::kOk) << Describe(put);
    EXPECT_EQ(put.replicas, 1);
    EXPECT_EQ(put.durable, 1);
    const ClientReply get = cluster.Call(via, In(kSmall, Get("k")));
    EXPECT_EQ(ValuesOf(get), Values{"v"}) << Describe(get);
  }
  for (NodeId id = 1; id <= 5; ++id) {
    const bool holds = !cluster.RecordAt(id, "k", kSmall).empty();
    EXPECT_EQ(holds, id == cluster.ReplicasOf("k", kSmall)[0]) << id;
  }
  EXPECT_TRUE(cluster.Call(1, Get("k")).siblings.empty()) << "another bucket's key";
}

// The second of three replicas must not spread what only the first is to hold.
TEST(NodeBucketTest, ExchangesLeaveOutWhatThePeerDoesNotHold) {
  MiniOptions options = Options(3);
  options.exchange = true;
  MiniCluster cluster(options);
  for (int i = 0; i < 20; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_EQ(cluster.Call(1, In(kSmall, Put(key, "v"))).outcome, Outcome::kOk);
  }
  cluster.Run(20'000'000);
  EXPECT_EQ(cluster.Difference(), "");
  for (int i = 0; i < 20; ++i) {
    const std::string key = "k" + std::to_string(i);
    int copies = 0;
    for (NodeId id = 1; id <= 3; ++id) {
      copies += cluster.RecordAt(id, key, kSmall).empty() ? 0 : 1;
    }
    EXPECT_EQ(copies, 1) << key;
  }
}

TEST(NodeBucketTest, LimitsOfTheBucketAreKept) {
  MiniCluster cluster(Options());
  const ClientReply key = cluster.Call(1, In(kSmall, Put("12345", "v")));
  EXPECT_EQ(key.outcome, Outcome::kInvalid);
  EXPECT_NE(key.message.find("key_bytes_max of bucket small"), std::string::npos) << key.message;
  const ClientReply value = cluster.Call(1, In(kSmall, Put("k", "12345")));
  EXPECT_NE(value.message.find("value_bytes_max of bucket small"), std::string::npos);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(cluster.Call(1, In(kSmall, PutBeside("k", "v"))).outcome, Outcome::kOk);
  }
  const ClientReply third = cluster.Call(1, In(kSmall, PutBeside("k", "v")));
  EXPECT_EQ(third.outcome, Outcome::kInvalid) << Describe(third);
  EXPECT_EQ(cluster.Call(1, In(kSmall, Get("k"))).siblings.size(), 2u);
}

TEST(NodeBucketTest, ARecordDoesNotOutgrowItsLimit) {
  MiniOptions options = Options(3);
  options.node.value_bytes_max = 4096;
  options.node.record_bytes_max = 8192;
  MiniCluster cluster(options);
  const NodeId via = cluster.ReplicasOf("k")[0];
  const std::string big(3000, 'x');
  EXPECT_EQ(cluster.Call(via, PutBeside("k", big)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(via, PutBeside("k", big)).outcome, Outcome::kOk);
  const ClientReply third = cluster.Call(via, PutBeside("k", big));
  EXPECT_EQ(third.outcome, Outcome::kInvalid);
  EXPECT_NE(third.message.find("record_bytes_max"), std::string::npos) << third.message;
  EXPECT_EQ(cluster.Call(via, Get("k")).siblings.size(), 2u);
  EXPECT_EQ(cluster.Call(via, Put("k", "small")).outcome, Outcome::kOk) << "it can be mended";
}

// ---- Last writer wins --------------------------------------------------------------

TEST(NodeBucketTest, TheLastWriterWinsWhateverItsReplica) {
  MiniCluster cluster(Options(3));
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
  const auto early = cluster.Ask(1, In(kLast, Put("k", "early")));
  cluster.Run(10'000);
  const auto late = cluster.Ask(2, In(kLast, Put("k", "late")));
  cluster.Run(3'000'000);
  EXPECT_EQ(cluster.ReplyTo(early)->outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.ReplyTo(late)->outcome, Outcome::kUnknown);
  cluster.SetJudge(nullptr);
  const ClientReply reply = cluster.Call(3, In(kLast, Get("k", 3)));
  EXPECT_EQ(ValuesOf(reply), Values{"late"}) << Describe(reply);
  EXPECT_EQ(cluster.Difference(), "") << "the read repaired";
}

TEST(NodeBucketTest, AWriteAfterAReadWinsThoughItsClockIsBehind) {
  MiniCluster cluster(Options(3));
  cluster.SetWallSkew(1, 2'000'000);
  cluster.SetJudge(
      [](NodeId, NodeId to, const Message&) { return to == 3 ? Fate::kDrop : Fate::kDeliver; });
  ASSERT_EQ(cluster.Call(1, In(kLast, Put("k", "ahead"))).outcome, Outcome::kOk);
  const ClientReply read = cluster.Call(2, In(kLast, Get("k")));
  ASSERT_EQ(ValuesOf(read), Values{"ahead"});
  cluster.SetJudge(nullptr);
  // Node 3 has not seen the first version; the token tells it how late that was.
  const ClientReply put = cluster.Call(3, In(kLast, PutAfter("k", "behind", read.context)));
  ASSERT_EQ(put.outcome, Outcome::kOk) << Describe(put);
  EXPECT_EQ(ValuesOf(cluster.Call(2, In(kLast, Get("k", 3)))), Values{"behind"});
}

TEST(NodeBucketTest, AFarFutureTimestampIsNotBuiltUpon) {
  MiniCluster cluster(Options(3));
  cluster.SetWallSkew(1, 60'000'000);
  ASSERT_EQ(cluster.Call(1, In(kLast, Put("k", "future"))).outcome, Outcome::kOk);
  const std::string before = cluster.RecordAt(2, "k", kLast);
  const ClientReply refused = cluster.Call(2, In(kLast, Put("k", "now")));
  EXPECT_EQ(refused.outcome, Outcome::kNotApplied) << Describe(refused);
  EXPECT_NE(refused.message.find("max_clock_skew"), std::string::npos) << refused.message;
  EXPECT_EQ(cluster.RecordAt(2, "k", kLast), before);
  EXPECT_EQ(cluster.Call(2, Put("k", "siblings do not care")).outcome, Outcome::kOk);
  cluster.Run(60'000'000);
  EXPECT_EQ(cluster.Call(2, In(kLast, Put("k", "now"))).outcome, Outcome::kOk);
}

TEST(NodeBucketTest, ADeleteIsAVersionLikeAnother) {
  MiniCluster cluster(Options(3));
  ASSERT_EQ(cluster.Call(1, In(kLast, Put("k", "v"))).outcome, Outcome::kOk);
  ASSERT_EQ(cluster.Call(2, In(kLast, Delete("k"))).outcome, Outcome::kOk);
  EXPECT_TRUE(cluster.Call(3, In(kLast, Get("k"))).siblings.empty());
  ASSERT_EQ(cluster.Call(3, In(kLast, Put("k", "again"))).outcome, Outcome::kOk);
  EXPECT_EQ(ValuesOf(cluster.Call(1, In(kLast, Get("k")))), Values{"again"});
}

// ---- Time to live ------------------------------------------------------------------

ClientRequest Brief(ClientRequest request, int64_t ttl_us) {
  request.ttl_us = ttl_us;
  return request;
}

TEST(NodeBucketTest, AValueExpiresAndWhatItReplacedStaysAway) {
  for (const BucketId bucket : {BucketId{0}, kLast}) {
    MiniCluster cluster(Options(3));
    ASSERT_EQ(cluster.Call(1, In(bucket, Put("k", "plain", 3))).outcome, Outcome::kOk);
    // Regression 30: an owner is down while the brief value lives.
    cluster.Crash(3);
    ASSERT_EQ(cluster.Call(1, In(bucket, Brief(Put("k", "brief"), 500'000))).outcome, Outcome::kOk);
    const ClientReply alive = cluster.Call(2, In(bucket, Get("k")));
    ASSERT_EQ(ValuesOf(alive), Values{"brief"});
    EXPECT_GT(alive.siblings[0].ttl_us, 0);
    EXPECT_LE(alive.siblings[0].ttl_us, 500'000);
    cluster.Run(600'000);
    cluster.Start(3);
    cluster.Run(100'000);
    for (NodeId via = 1; via <= 3; ++via) {
      const ClientReply reply = cluster.Call(via, In(bucket, Get("k", 3)));
      ASSERT_EQ(reply.outcome, Outcome::kOk) << Describe(reply);
      EXPECT_EQ(ValuesOf(reply), Values{}) << "via " << via;
    }
    EXPECT_EQ(cluster.Difference(), "");
    ASSERT_EQ(cluster.Call(3, In(bucket, Put("k", "new"))).outcome, Outcome::kOk);
    EXPECT_EQ(ValuesOf(cluster.Call(1, In(bucket, Get("k")))), Values{"new"});
  }
}

TEST(NodeBucketTest, TheFirstCoordinatorDecidesWhenAValueExpires) {
  MiniCluster cluster(Options(5));
  const NodeId via = cluster.NoReplicaOf("k");
  cluster.SetWallSkew(cluster.ReplicasOf("k")[0], 5'000'000);
  const int64_t expected_us = cluster.wall_us(via) + 1'000'000;
  ASSERT_EQ(cluster.Call(via, Brief(Put("k", "v"), 1'000'000)).outcome, Outcome::kOk);
  Record record;
  ASSERT_TRUE(Record::Decode(cluster.RecordAt(cluster.ReplicasOf("k")[0], "k"), &record));
  EXPECT_EQ(record.versions()[0].expires_us, expected_us);
  EXPECT_EQ(ValuesOf(cluster.Call(via, Get("k"))), Values{"v"});
  EXPECT_EQ(ValuesOf(cluster.Call(cluster.ReplicasOf("k")[0], Get("k"))), Values{})
      << "its clock is past it";
}

TEST(NodeBucketTest, ABucketsDefaultHoldsUnlessThePutSaysOtherwise) {
  MiniCluster cluster(Options(3));
  ASSERT_EQ(cluster.Call(1, In(kBrief, Put("a", "default"))).outcome, Outcome::kOk);
  ASSERT_EQ(cluster.Call(1, In(kBrief, Brief(Put("b", "longer"), 10'000'000))).outcome,
            Outcome::kOk);
  ASSERT_EQ(cluster.Call(1, In(kBrief, Brief(Put("c", "ever"), kTtlNever))).outcome, Outcome::kOk);
  cluster.Run(2'000'000);
  EXPECT_EQ(ValuesOf(cluster.Call(2, In(kBrief, Get("a")))), Values{});
  EXPECT_EQ(ValuesOf(cluster.Call(2, In(kBrief, Get("b")))), Values{"longer"});
  EXPECT_EQ(ValuesOf(cluster.Call(2, In(kBrief, Get("c")))), Values{"ever"});
  EXPECT_EQ(cluster.Call(2, In(kBrief, Get("c"))).siblings[0].ttl_us, 0);
  const ClientReply absurd = cluster.Call(1, Brief(Put("a", "v"), kTtlUsMax + 1));
  EXPECT_EQ(absurd.outcome, Outcome::kInvalid);
}

// ---- Levels ------------------------------------------------------------------------

ClientRequest At(Level level, ClientRequest request) {
  request.level = level;
  return request;
}

TEST(NodeBucketTest, LevelsAndPrimariesAreBounded) {
  MiniOptions options = Options(5);
  options.bucket.r_min = 1;
  options.bucket.w_min = 2;
  MiniCluster cluster(options);
  const auto says = [&](ClientRequest request, const std::string& words) {
    const ClientReply reply = cluster.Call(1, std::move(request));
    const bool right =
        reply.outcome == Outcome::kInvalid && reply.message.find(words) != std::string::npos;
    EXPECT_TRUE(right) << Describe(reply);
  };
  says(At(Level::kOne, Put("k", "v")), "W is 1 (one): bucket default permits 2 to 3 (w_min, n)");
  says(Put("k", "v", 1), "W is 1: bucket default permits 2 to 3");
  says(Put("k", "v", 4), "W is 4");
  says(Get("k", -1), "R is -1");
  says(At(Level::kAll, Put("k", "v", 2)), "choose one");
  ClientRequest primary = Put("k", "v");
  primary.primary = 4;
  says(primary, "PW is 4: bucket default permits 1 to 3 (n)");
  EXPECT_EQ(cluster.RecordAt(1, "k"), "");

  EXPECT_EQ(cluster.Call(1, At(Level::kAll, Put("k", "v"))).replicas, 3);
  primary.primary = 3;
  EXPECT_EQ(cluster.Call(1, primary).replicas, 3);
  EXPECT_EQ(cluster.Call(1, At(Level::kOne, Get("k"))).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(1, At(Level::kLocalQuorum, Put("k", "v"))).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(1, At(Level::kEachQuorum, Get("k"))).outcome, Outcome::kOk);
}

TEST(NodeBucketTest, LocalAndEachQuorumCountByDataCenter) {
  MiniOptions options;
  options.nodes = 6;
  options.data_centers = {"east", "west"};
  options.bucket = {.id = 0, .n = 6, .r = 4, .w = 4, .r_min = 1, .w_min = 1};
  MiniCluster cluster(options);
  const auto cut = [&](NodeId from, NodeId to, const Message&) {
    return (from % 2) == (to % 2) ? Fate::kDeliver : Fate::kDrop;
  };
  cluster.SetJudge(cut);
  const ClientReply local = cluster.Call(1, At(Level::kLocalQuorum, Put("k", "v")));
  EXPECT_EQ(local.outcome, Outcome::kOk) << Describe(local);
  EXPECT_EQ(ValuesOf(cluster.Call(3, At(Level::kLocalQuorum, Get("k")))), Values{"v"});
  EXPECT_EQ(ValuesOf(cluster.Call(2, At(Level::kLocalQuorum, Get("k")))), Values{})
      << "nothing is claimed across data centers";
  EXPECT_EQ(cluster.Call(1, At(Level::kQuorum, Put("k", "v"))).outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.Call(1, At(Level::kEachQuorum, Get("k"))).outcome, Outcome::kUnavailable);
  cluster.SetJudge(nullptr);
  const ClientReply each = cluster.Call(1, At(Level::kEachQuorum, Put("k", "w")));
  EXPECT_EQ(each.outcome, Outcome::kOk) << Describe(each);
  EXPECT_EQ(each.zones, 2);
  EXPECT_GE(each.replicas, 4);
}

// ---- Contexts that are not for this key ---------------------------------------------

TEST(NodeBucketTest, AContextFromElsewhereChangesNothing) {
  MiniCluster cluster(Options(3));
  for (const BucketId bucket : {BucketId{0}, kLast}) {
    ASSERT_EQ(cluster.Call(1, In(bucket, Put("k", "kept"))).outcome, Outcome::kOk);
    ASSERT_EQ(cluster.Call(1, In(bucket, Put("other", "v"))).outcome, Outcome::kOk);
  }
  const std::string own = cluster.Call(1, Get("k")).context;
  const std::string last = cluster.Call(1, In(kLast, Get("k"))).context;
  std::string forged = own;
  forged.back() = static_cast<char>(forged.back() + 1);
  std::string redated = last;
  redated[9] = static_cast<char>(redated[9] + 1);
  std::string relabelled = last;
  relabelled[0] = own[0];
  VersionVector everything;
  everything.Add({MakeIncarnation(1, 7), 99});
  const std::string key = MakeRecordKey(0, "k");
  const std::vector<std::string> wrong = {
      cluster.Call(1, Get("other")).context,
      last,
      forged,
      redated,
      relabelled,
      own.substr(0, own.size() - 1),
      own.substr(0, 5),
      own + "x",
      "garbage",
      std::string(),
      TokenSealer("mini", "another secret").Seal(key, everything),
      TokenSealer("another cluster", "secret").Seal(key, everything)};
  for (size_t i = 0; i < wrong.size(); ++i) {
    for (const BucketId bucket : {BucketId{0}, kLast}) {
      if (bucket == kLast && wrong[i] == last) continue;
      const std::string before = cluster.RecordAt(1, "k", bucket);
      const ClientReply put = cluster.Call(1, In(bucket, PutAfter("k", "x", wrong[i])));
      EXPECT_EQ(put.outcome, Outcome::kInvalid) << "token " << i << ": " << Describe(put);
      EXPECT_NE(put.message.find("context"), std::string::npos) << put.message;
      EXPECT_EQ(cluster.RecordAt(1, "k", bucket), before) << "token " << i;
    }
  }
}

// Figure 3 of the Dynamo paper, on nodes: D1 and D2 by Sx, D3 by Sy and D4 by Sz, both after
// D2; the client reads both, and resolves them through Sx.
TEST(NodeBucketTest, WorkedExampleOfTheDynamoPaper) {
  MiniCluster cluster(Options(3));
  const NodeId x = 1;
  const NodeId y = 2;
  const NodeId z = 3;
  ASSERT_EQ(cluster.Call(x, Put("k", "D1")).outcome, Outcome::kOk);
  const ClientReply d1 = cluster.Call(x, Get("k"));
  const ClientReply d2 = cluster.Call(x, PutAfter("k", "D2", d1.context));
  ASSERT_EQ(d2.outcome, Outcome::kOk);
  EXPECT_EQ(ValuesOf(cluster.Call(y, Get("k", 3))), Values{"D2"});
  // Neither sees the other's write.
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kHold; });
  const uint64_t d3 = cluster.Ask(y, PutAfter("k", "D3", d2.context));
  const uint64_t d4 = cluster.Ask(z, PutAfter("k", "D4", d2.context));
  cluster.Settle();
  cluster.SetJudge(nullptr);
  cluster.ReleaseHeld();
  cluster.Settle();
  ASSERT_EQ(cluster.ReplyTo(d3)->outcome, Outcome::kOk);
  ASSERT_EQ(cluster.ReplyTo(d4)->outcome, Outcome::kOk);
  const ClientReply both = cluster.Call(x, Get("k"));
  ASSERT_EQ(both.siblings.size(), 2u) << Describe(both);
  Record record;
  ASSERT_TRUE(Record::Decode(cluster.RecordAt(x, "k"), &record));
  std::vector<NodeId> minters;
  std::vector<uint64_t> counters;
  for (const VersionVector::Entry& entry : record.context().entries()) {
    minters.push_back(NodeOf(entry.incarnation));
    counters.push_back(entry.counter);
  }
  EXPECT_EQ(minters, (std::vector<NodeId>{x, y, z}));
  EXPECT_EQ(counters, (std::vector<uint64_t>{2, 1, 1}));
  ASSERT_EQ(cluster.Call(x, PutAfter("k", "D5", both.context)).outcome, Outcome::kOk);
  EXPECT_EQ(ValuesOf(cluster.Call(z, Get("k", 3))), Values{"D5"});
  EXPECT_EQ(cluster.Difference(), "");
}

}  // namespace
}  // namespace norn
