#include "net/handshake.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/config.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "net/handshake_fields.h"
#include "net/message_testing.h"
#include "net/schema_testing.h"
#include "net/wire.pb.h"
#include "rapidcheck/gtest.h"

namespace norn::net {
namespace {

Identity Node(NodeId id) {
  return {.id = id, .cluster = "blue", .generation = 5, .instance = 100u + id, .fingerprint = 42};
}

// ---- Configuration fingerprint ----------------------------------------------------

ClusterConfig TwoNodes() {
  ClusterConfig cluster;
  cluster.name = "blue";
  cluster.members = {{.id = 1, .address = "a:1", .zone = "z1"},
                     {.id = 2, .address = "b:1", .zone = "z2"}};
  cluster.secret = "secret";
  return cluster;
}

TEST(ConfigFingerprintTest, ChangesWithAllThatMustAgree) {
  const std::vector<std::function<void(ClusterConfig*)>> changes = {
      [](ClusterConfig* c) { c->partitions = 512; },
      [](ClusterConfig* c) { c->members.pop_back(); },
      [](ClusterConfig* c) { c->members[0].id = 3; },
      [](ClusterConfig* c) { c->members[0].zone = "z3"; },
      [](ClusterConfig* c) { c->members[0].weight = 2; },
      [](ClusterConfig* c) { c->buckets.push_back({.id = 1, .name = "more"}); },
      [](ClusterConfig* c) { c->buckets[0].id = 1; },
      [](ClusterConfig* c) { c->buckets[0].name = "other"; },
      [](ClusterConfig* c) { c->buckets[0].n = 5; },
      [](ClusterConfig* c) { c->buckets[0].r = 1; },
      [](ClusterConfig* c) { c->buckets[0].w = 3; },
      [](ClusterConfig* c) { c->buckets[0].r_min = 1; },
      [](ClusterConfig* c) { c->buckets[0].w_min = 1; },
      [](ClusterConfig* c) { c->buckets[0].sloppy = true; },
      [](ClusterConfig* c) { c->secret = "other"; },
  };
  std::vector<uint64_t> seen = {ConfigFingerprint(TwoNodes())};
  for (size_t i = 0; i < changes.size(); ++i) {
    ClusterConfig changed = TwoNodes();
    changes[i](&changed);
    const uint64_t fingerprint = ConfigFingerprint(changed);
    for (const uint64_t other : seen) EXPECT_NE(fingerprint, other) << "change " << i;
    seen.push_back(fingerprint);
  }
}

TEST(ConfigFingerprintTest, IgnoresOrderAddressesAndDefaultsThatAreSpelledOut) {
  ClusterConfig same = TwoNodes();
  std::swap(same.members[0], same.members[1]);
  same.members[0].address = "elsewhere:9";
  same.buckets[0].r_min = same.buckets[0].r;
  EXPECT_EQ(ConfigFingerprint(same), ConfigFingerprint(TwoNodes()));
}

// ---- Verdicts ---------------------------------------------------------------------

TEST(HandshakeTest, NodesThatAgreeAcceptEachOther) {
  const HelloReply reply = JudgeHello(Node(2), MakeHello(Node(1), 2), true);
  EXPECT_EQ(reply.verdict, Verdict::kAccepted) << reply.text;
  EXPECT_EQ(reply.version, kProtocolVersionMax);
  EXPECT_EQ(reply.node, 2);
  EXPECT_EQ(reply.generation, 5u);
  EXPECT_TRUE(CheckReply(Node(1), 2, reply).ok());
}

TEST(HandshakeTest, TheGreatestCommonVersionIsChosen) {
  Identity ours = Node(2);
  ours.version_min = 3;
  ours.version_max = 7;
  Hello hello = MakeHello(Node(1), 2);
  const auto version_for = [&](uint32_t low, uint32_t high) {
    hello.version_min = low;
    hello.version_max = high;
    const HelloReply reply = JudgeHello(ours, hello, true);
    return reply.verdict == Verdict::kAccepted ? reply.version : 0;
  };
  EXPECT_EQ(version_for(1, 3), 3u);
  EXPECT_EQ(version_for(1, 5), 5u);
  EXPECT_EQ(version_for(7, 9), 7u);
  EXPECT_EQ(version_for(1, 9), 7u);
  EXPECT_EQ(version_for(1, 2), 0u);
  EXPECT_EQ(version_for(8, 9), 0u);
  EXPECT_EQ(version_for(5, 4), 0u);
}

TEST(HandshakeTest, EachRefusalSaysWhatDiffersAndWhatToDo) {
  struct Case {
    std::function<void(Identity*)> change_dialler;
    NodeId to;
    bool is_member;
    Verdict verdict;
    std::string text;
  };
  const auto nothing = [](Identity*) {};
  const std::vector<Case> cases = {
      {[](Identity* i) { i->version_min = 2, i->version_max = 3; }, 2, true, Verdict::kVersion,
       "node 2 speaks protocol version 1, node 1 speaks versions 2 to 3: upgrade the older one"},
      {[](Identity* i) { i->cluster = "gr\nen"; }, 2, true, Verdict::kCluster,
       "node 2 is of cluster \"blue\", node 1 of cluster \"gr\\nen\": correct the address or the "
       "cluster's name on one of them"},
      {[](Identity* i) { *i = Node(2); }, 3, true, Verdict::kOurselves,
       "node 2 reached itself when it dialled node 3: correct the address of node 3"},
      {nothing, 3, true, Verdict::kWrongNode,
       "node 1 dialled node 3 and reached node 2: correct the address of node 3 in the "
       "configuration of node 1"},
      {[](Identity* i) { i->id = 2; }, 2, true, Verdict::kTwin,
       "two processes call themselves node 2: give one of them another id"},
      {nothing, 2, false, Verdict::kStranger,
       "node 1 is no member of cluster \"blue\" in the configuration of node 2: add it there, or "
       "stop it"},
      {[](Identity* i) { i->fingerprint = 43; }, 2, true, Verdict::kFingerprint,
       "nodes 2 and 1 have different configurations of cluster \"blue\": partitions, members "
       "(id, zone, weight), buckets and secret must be the same on every node"},
  };
  for (const Case& c : cases) {
    Identity dialler = Node(1);
    c.change_dialler(&dialler);
    const HelloReply reply = JudgeHello(Node(2), MakeHello(dialler, c.to), c.is_member);
    EXPECT_EQ(reply.verdict, c.verdict) << reply.text;
    EXPECT_EQ(reply.text, c.text);
    EXPECT_EQ(reply.fingerprint, 0u) << "shown to a stranger";
    const absl::Status status = CheckReply(dialler, c.to, reply);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(status.message(), "node 2 refused the connection: " + c.text);
  }
}

TEST(HandshakeTest, TheDiallerTrustsNoAcceptanceBlindly) {
  const HelloReply good = JudgeHello(Node(2), MakeHello(Node(1), 2), true);
  const auto error = [&](const std::function<void(HelloReply*)>& change) {
    HelloReply reply = good;
    change(&reply);
    return std::string(CheckReply(Node(1), 2, reply).message());
  };
  EXPECT_EQ(error([](HelloReply* r) { r->node = 3; }),
            "dialled node 2 and node 3 answered: correct the address of node 2");
  EXPECT_EQ(error([](HelloReply* r) { r->cluster = "green"; }),
            "node 1 is of cluster \"blue\", node 2 of cluster \"green\": correct the address or "
            "the cluster's name on one of them");
  EXPECT_EQ(error([](HelloReply* r) { r->version = 9; }),
            "node 2 chose protocol version 9, which node 1 did not offer (version 1): upgrade "
            "the older one");
  EXPECT_EQ(error([](HelloReply* r) { r->fingerprint = 0; }).substr(0, 44),
            "nodes 1 and 2 have different configurations ");
  EXPECT_EQ(error([](HelloReply* r) {
              r->verdict = Verdict::kStranger;
              r->text = "go\n\x1b[31maway\xff";
            }),
            "node 2 refused the connection: go??[31maway?");
}

// ---- Bytes ------------------------------------------------------------------------

TEST(HandshakeBytesTest, FieldTablesMatchWireProto) {
  SchemaCheck::Check<Hello>("Hello");
  SchemaCheck::Check<HelloReply>("HelloReply");
}

TEST(HandshakeBytesTest, BothComeBackEqual) {
  const Hello hello = MakeHello(Node(1), 2);
  std::string bytes;
  EncodeHello(hello, &bytes);
  const absl::StatusOr<Hello> decoded = DecodeHello(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  v1::Hello proto;
  ASSERT_TRUE(proto.ParseFromString(bytes));
  EXPECT_EQ(proto.SerializeAsString(), bytes);
  const HelloReply reply = JudgeHello(Node(2), *decoded, true);
  EXPECT_EQ(reply.verdict, Verdict::kAccepted) << reply.text;

  bytes.clear();
  EncodeHelloReply(reply, &bytes);
  const absl::StatusOr<HelloReply> decoded_reply = DecodeHelloReply(bytes);
  ASSERT_TRUE(decoded_reply.ok()) << decoded_reply.status();
  EXPECT_TRUE(CheckReply(Node(1), 2, *decoded_reply).ok());
}

TEST(HandshakeBytesTest, EveryRefusalFitsItsFrame) {
  Identity dialler = Node(1);
  dialler.cluster = std::string(kHandshakeBytesMax, '\n');
  std::string bytes;
  EncodeHelloReply(JudgeHello(Node(2), MakeHello(dialler, 2), true), &bytes);
  EXPECT_LE(bytes.size(), kHandshakeBytesMax);
}

RC_GTEST_PROP(HandshakeBytesTest, MutatedBytesNeverCrash, (uint64_t seed)) {
  Random random(seed);
  std::string bytes;
  if (random.Chance(1, 2)) {
    EncodeHello(MakeHello(Node(1), 2), &bytes);
  } else {
    EncodeHelloReply(JudgeHello(Node(2), MakeHello(Node(1), 2), random.Chance(1, 2)), &bytes);
  }
  bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
  bytes.resize(random.Below(bytes.size() + 1));
  const absl::StatusOr<Hello> hello = DecodeHello(bytes);
  if (hello.ok()) static_cast<void>(JudgeHello(Node(2), *hello, true));
  const absl::StatusOr<HelloReply> reply = DecodeHelloReply(bytes);
  if (reply.ok()) static_cast<void>(CheckReply(Node(1), 2, *reply));
}

}  // namespace
}  // namespace norn::net
