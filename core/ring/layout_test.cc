#include "core/ring/layout.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

struct Input {
  uint32_t partitions = 1;
  int replicas = 1;
  std::vector<MemberConfig> members;
};

Input Draw(Random& random) {
  Input input;
  input.partitions = uint32_t{1} << random.Below(10);
  input.replicas = static_cast<int>(1 + random.Below(5));
  const uint64_t members = 1 + random.Below(40);
  const uint64_t zones = 1 + random.Below(6);
  const uint32_t weights[] = {1, 3, 50, 1000};
  const uint64_t weight_max = weights[random.Below(4)];
  std::set<NodeId> ids;
  while (ids.size() < members) ids.insert(static_cast<NodeId>(1 + random.Below(65535)));
  for (const NodeId id : ids) {
    MemberConfig member;
    member.id = id;
    member.zone = "zone" + std::to_string(random.Below(zones));
    member.weight = static_cast<uint32_t>(1 + random.Below(weight_max));
    // A few big ones among many small ones are the hard case.
    if (random.Chance(1, 10)) member.weight = static_cast<uint32_t>(1 + random.Below(1000));
    input.members.push_back(std::move(member));
  }
  return input;
}

Layout Build(const Input& input) {
  return Layout::Build(1, input.partitions, input.replicas, input.members);
}

std::vector<NodeId> ReplicasOf(const Layout& layout, uint32_t partition) {
  const auto span = layout.Replicas(static_cast<PartitionId>(partition));
  return std::vector<NodeId>(span.begin(), span.end());
}

// A bucket of fewer replicas uses the beginning of each list: that is what a layout of just so
// many replicas would list, so its zones are as distinct.
RC_GTEST_PROP(LayoutProperty, ShorterListsAreTheBeginningsOfLongerOnes, (uint64_t seed)) {
  Random random(seed);
  for (int round = 0; round < 10; ++round) {
    Input input = Draw(random);
    input.replicas = 5;
    const Layout longest = Build(input);
    for (int n = 1; n < 5; ++n) {
      input.replicas = n;
      const Layout own = Build(input);
      for (uint32_t p = 0; p < input.partitions; ++p) {
        const auto beginning = longest.Replicas(static_cast<PartitionId>(p), n);
        RC_ASSERT(std::vector<NodeId>(beginning.begin(), beginning.end()) == ReplicasOf(own, p));
      }
    }
  }
}

// Integers only: |owned * W - Q * weight| < W.
RC_GTEST_PROP(LayoutProperty, OwnersGetTheirShareUpToLessThanOne, (uint64_t seed)) {
  Random random(seed);
  for (int round = 0; round < 10; ++round) {
    const Input input = Draw(random);
    const Layout layout = Build(input);
    int64_t total = 0;
    for (const MemberConfig& member : input.members) total += member.weight;
    std::map<NodeId, int64_t> owned;
    for (uint32_t p = 0; p < input.partitions; ++p)
      ++owned[layout.Owner(static_cast<PartitionId>(p))];
    for (const MemberConfig& member : input.members) {
      const int64_t off = owned[member.id] * total - int64_t{input.partitions} * member.weight;
      RC_ASSERT(std::abs(off) < total);
    }
  }
}

// Smooth weighted round robin, the usual choice, fails here: the second member would get
// 522 partitions of its share of 523.31.
TEST(LayoutTest, FewBigMembersAmongManySmallOnesGetTheirShare) {
  Input input;
  input.partitions = 1024;
  int64_t total = 0;
  const uint32_t weights[] = {409, 532, 1, 2, 3, 3, 1, 2, 1, 1, 1, 2, 1, 1, 2, 3, 2,
                              2,   3,   3, 2, 1, 1, 3, 1, 1, 3, 1, 3, 1, 1, 3, 2, 2,
                              3,   1,   2, 3, 3, 2, 2, 3, 3, 3, 2, 2, 2, 1, 3, 3, 3};
  for (const uint32_t weight : weights) {
    MemberConfig member;
    member.id = static_cast<NodeId>(input.members.size() + 1);
    member.weight = weight;
    total += weight;
    input.members.push_back(member);
  }
  const Layout layout = Build(input);
  int64_t owned = 0;
  for (PartitionId p = 0; p < 1024; ++p) owned += layout.Owner(p) == 2 ? 1 : 0;
  EXPECT_LT(std::abs(owned * total - 1024 * 532), total);
}

// The walk, told as in the paper: rescan the ring from the start for each replica.
std::vector<NodeId> DumbWalk(const Input& input, const Layout& layout, uint32_t from) {
  std::map<NodeId, std::string> zone_of;
  for (const MemberConfig& member : input.members) zone_of[member.id] = member.zone;
  std::vector<NodeId> walk;
  const size_t wanted = std::min(static_cast<size_t>(input.replicas), input.members.size());
  while (walk.size() < wanted) {
    std::set<std::string> zones;
    for (const NodeId id : walk) zones.insert(zone_of[id]);
    NodeId in_new_zone = kNoNode;
    NodeId anyone = kNoNode;
    for (uint32_t step = 0; step < input.partitions; ++step) {
      const NodeId owner = layout.Owner(static_cast<PartitionId>((from + step) % input.partitions));
      if (std::count(walk.begin(), walk.end(), owner) != 0) continue;
      if (anyone == kNoNode) anyone = owner;
      if (in_new_zone == kNoNode && zones.count(zone_of[owner]) == 0) in_new_zone = owner;
    }
    if (anyone == kNoNode) {  // members that own nothing, by id
      for (const auto& [id, zone] : zone_of) {
        if (anyone == kNoNode && std::count(walk.begin(), walk.end(), id) == 0) anyone = id;
      }
    }
    walk.push_back(in_new_zone != kNoNode ? in_new_zone : anyone);
  }
  return walk;
}

RC_GTEST_PROP(LayoutProperty, ReplicasAreTheDumbWalk, (uint64_t seed)) {
  Random random(seed);
  const Input input = Draw(random);
  const Layout layout = Build(input);
  std::map<NodeId, std::set<uint32_t>> held;
  for (uint32_t p = 0; p < input.partitions; ++p) {
    const std::vector<NodeId> replicas = ReplicasOf(layout, p);
    RC_ASSERT(replicas == DumbWalk(input, layout, p));
    RC_ASSERT(replicas.front() == layout.Owner(static_cast<PartitionId>(p)));
    RC_ASSERT(std::set<NodeId>(replicas.begin(), replicas.end()).size() == replicas.size());
    for (const NodeId replica : replicas) held[replica].insert(p);
  }
  for (const MemberConfig& member : input.members) {
    const std::vector<PartitionId> partitions = layout.PartitionsOf(member.id);
    RC_ASSERT(std::set<uint32_t>(partitions.begin(), partitions.end()) == held[member.id]);
  }
}

RC_GTEST_PROP(LayoutProperty, ZonesAreDistinctWhereThereAreEnough, (uint64_t seed)) {
  Random random(seed);
  Input input = Draw(random);
  input.partitions = 1024;
  for (MemberConfig& member : input.members) member.weight = 1;  // so that all own something
  std::map<NodeId, std::string> zone_of;
  std::set<std::string> all;
  for (const MemberConfig& member : input.members) {
    zone_of[member.id] = member.zone;
    all.insert(member.zone);
  }
  const Layout layout = Build(input);
  for (uint32_t p = 0; p < input.partitions; ++p) {
    const std::vector<NodeId> replicas = ReplicasOf(layout, p);
    std::set<std::string> zones;
    for (const NodeId replica : replicas) zones.insert(zone_of[replica]);
    RC_ASSERT(zones.size() == std::min(replicas.size(), all.size()));
  }
}

RC_GTEST_PROP(LayoutProperty, OrderOfMembersDoesNotMatter, (uint64_t seed)) {
  Random random(seed);
  Input input = Draw(random);
  const uint64_t fingerprint = Build(input).Fingerprint();
  for (size_t i = input.members.size(); i > 1; --i) {
    std::swap(input.members[i - 1], input.members[random.Below(i)]);
  }
  RC_ASSERT(Build(input).Fingerprint() == fingerprint);
}

RC_GTEST_PROP(LayoutProperty, FingerprintTellsAssignmentsApart, (uint64_t seed)) {
  Random random(seed);
  const Input a = Draw(random);
  Input b = a;
  switch (random.Below(4)) {
    case 0:
      b = Draw(random);
      break;
    case 1:
      b.members[random.Below(b.members.size())].weight += 7;
      break;
    case 2:
      b.partitions *= 2;
      break;
    default:
      b.members.pop_back();
  }
  RC_PRE(!b.members.empty());
  const Layout la = Build(a);
  const Layout lb = Build(b);
  bool equal = la.partitions() == lb.partitions();
  for (uint32_t p = 0; equal && p < la.partitions(); ++p)
    equal = ReplicasOf(la, p) == ReplicasOf(lb, p);
  RC_ASSERT((la.Fingerprint() == lb.Fingerprint()) == equal);
  RC_ASSERT(Layout::Build(2, a.partitions, a.replicas, a.members).Fingerprint() !=
            la.Fingerprint());
}

// n members of one weight: n sets where the pattern closes, and at most N - 1 more where
// the ring's end cuts it, out of the n-choose-N that random placement would use.
TEST(LayoutTest, FewReplicaSets) {
  for (uint32_t n = 3; n <= 20; ++n) {
    Input input;
    input.partitions = 256;
    input.replicas = 3;
    for (uint32_t i = 1; i <= n; ++i) {
      MemberConfig member;
      member.id = static_cast<NodeId>(i);
      input.members.push_back(member);
    }
    const Layout layout = Build(input);
    std::set<std::set<NodeId>> sets;
    for (uint32_t p = 0; p < input.partitions; ++p) {
      const std::vector<NodeId> replicas = ReplicasOf(layout, p);
      sets.insert(std::set<NodeId>(replicas.begin(), replicas.end()));
    }
    EXPECT_LE(sets.size(), n + 2) << n << " members";
  }
}

// A cluster of the largest size is laid out in a moment, though all its members share one zone.
TEST(LayoutTest, TheLargestRing) {
  Input input;
  input.partitions = 16384;
  input.replicas = 3;
  for (uint32_t i = 1; i <= 100; ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(i);
    member.weight = i;
    input.members.push_back(member);
  }
  EXPECT_EQ(Build(input).partitions(), 16384u);
}

// Every node asks the same stand-ins: the walk beyond the replicas, and nobody twice.
RC_GTEST_PROP(LayoutTest, StandInsAreTheServersThatTheWalkMeetsNext, (uint64_t seed)) {
  Random random(seed);
  Input input = Draw(random);
  const Layout layout = Build(input);
  std::reverse(input.members.begin(), input.members.end());
  const Layout same = Build(input);
  const size_t walk =
      std::max(layout.Replicas(0).size(), std::min(input.members.size(), Layout::kWalkMax));
  ++input.replicas;
  const Layout wider = Build(input);
  for (uint32_t p = 0; p < layout.partitions(); ++p) {
    const auto partition = static_cast<PartitionId>(p);
    const auto stand_ins = layout.StandIns(partition, input.replicas - 1);
    RC_ASSERT(stand_ins == same.StandIns(partition, input.replicas - 1));
    std::set<NodeId> all(stand_ins.begin(), stand_ins.end());
    for (const NodeId replica : layout.Replicas(partition)) all.insert(replica);
    RC_ASSERT(all.size() == walk);
    RC_ASSERT(layout.Replicas(partition).size() + stand_ins.size() == walk);
    // With one replica more that one would be the first stand-in.
    if (!stand_ins.empty()) RC_ASSERT(wider.Replicas(partition).back() == stand_ins.front());
  }
}

TEST(LayoutTest, KeysFallIntoPartitionsEvenly) {
  EXPECT_EQ(PartitionOfHash(0, 256), 0);
  EXPECT_EQ(PartitionOfHash(~uint64_t{0}, 256), 255);
  EXPECT_EQ(PartitionOfHash(uint64_t{1} << 63, 256), 128);
  EXPECT_EQ(PartitionOfHash(~uint64_t{0}, 1), 0);
  std::vector<int> count(16);
  for (int i = 0; i < 16000; ++i) {
    ++count[PartitionOfHash(RingHash(MakeRecordKey(0, "key" + std::to_string(i))), 16)];
  }
  for (const int keys : count) {
    EXPECT_GT(keys, 850);
    EXPECT_LT(keys, 1150);
  }
}

// Where a key lies must never change: the data of a running cluster lies there.
TEST(LayoutTest, GoldenPlaces) {
  EXPECT_EQ(RingHash(MakeRecordKey(0, "key")), 8247553909353462968ull);
  Input input;
  input.partitions = 8;
  input.replicas = 2;
  for (const uint32_t weight : {1, 2, 1}) {
    MemberConfig member;
    member.id = static_cast<NodeId>(input.members.size() + 1);
    member.weight = weight;
    input.members.push_back(member);
  }
  const Layout layout = Build(input);
  std::string owners;
  for (PartitionId p = 0; p < 8; ++p) owners += std::to_string(layout.Owner(p));
  EXPECT_EQ(owners, "21232123");
  EXPECT_EQ(layout.Fingerprint(), 12909707012594146723ull);
}

}  // namespace
}  // namespace norn
