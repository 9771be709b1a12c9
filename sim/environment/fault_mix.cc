#include "sim/environment/fault_mix.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sim/environment/operation_mix.h"

namespace norn::sim {

namespace {

constexpr int64_t kMilli = 1'000;
constexpr int64_t kSecond = 1'000'000;

// Of which one node at most may suffer in a run, or some record could be read nowhere.
bool HidesRecords(FaultKind kind) { return OfDisk(kind) && kind != FaultKind::kFullDisk; }

bool Overlap(const Fault& a, const Fault& b) {
  return a.start_us < OverUs(b) && b.start_us < OverUs(a);
}

bool ShareNode(const Fault& a, const Fault& b) {
  if (a.nodes.empty() || b.nodes.empty()) return true;
  return std::any_of(a.nodes.begin(), a.nodes.end(), [&b](NodeId id) { return b.Concerns(id); });
}

std::vector<NodeId> DrawNodes(Random& random, std::vector<NodeId> pool, size_t count) {
  for (size_t i = 0; i < count; ++i) std::swap(pool[i], pool[i + random.Below(pool.size() - i)]);
  pool.resize(count);
  std::sort(pool.begin(), pool.end());
  return pool;
}

Fault DrawFault(Random& random, const FaultChance& chance, int64_t at_us) {
  Fault fault;
  fault.kind = chance.kind;
  fault.start_us = at_us;
  fault.end_us = at_us + random.Between(chance.for_min_us, chance.for_max_us);
  const auto spread = static_cast<int64_t>(chance.amount_max - chance.amount_min);
  fault.amount = chance.amount_min + static_cast<uint64_t>(random.Between(0, spread));
  const int64_t least_us = std::min(kMilli, chance.shift_max_us);
  const int64_t shift_us = random.Between(least_us, chance.shift_max_us);
  fault.shift_us = random.Chance(1, 2) ? shift_us : -shift_us;
  const auto least = static_cast<int64_t>(chance.nodes_min);
  const auto most = static_cast<int64_t>(chance.nodes_max);
  if (chance.zones.empty()) {
    fault.nodes = DrawNodes(random, chance.pool, static_cast<size_t>(random.Between(least, most)));
  } else {
    fault.nodes = chance.zones[random.Below(chance.zones.size())];
  }
  if (!TakesDown(fault.kind)) return fault;
  fault.down_us = random.Between(kSecond / 20, 2 * kSecond);
  fault.loss = static_cast<int>(random.Below(4));
  return fault;
}

bool Fits(const Fault& fault, const std::vector<Fault>& plan, size_t at_once_max,
          const PhaseTimes& times) {
  if (OverUs(fault) > times.faults_until_us) return false;
  size_t at_once = 1;
  for (const Fault& other : plan) {
    at_once += Overlap(fault, other) ? 1 : 0;
    if (!Clash(fault, other).empty()) return false;
  }
  return at_once <= at_once_max;
}

}  // namespace

bool HappensAtOnce(FaultKind kind) { return TakesDown(kind) && kind != FaultKind::kOlderDisk; }

int64_t OverUs(const Fault& fault) {
  return TakesDown(fault.kind) ? fault.end_us + fault.down_us : fault.end_us;
}

std::string Clash(const Fault& a, const Fault& b) {
  const bool meet = Overlap(a, b) && ShareNode(a, b);
  if (TakesDown(a.kind) && TakesDown(b.kind) && meet) {
    return "a node goes down while it is down already, or hardly back";
  }
  if (OfDisk(a.kind) && OfDisk(b.kind) && meet) {
    return "one disk is ill in two ways at once: the end of one would end the other";
  }
  if (HidesRecords(a.kind) && HidesRecords(b.kind) && a.nodes != b.nodes) {
    return "the disks of two nodes cannot be read: some record might have no replica that can be, "
           "and nobody claims that it is kept";
  }
  return "";
}

FaultChance UsualChance(FaultKind kind, const ClusterConfig& cluster) {
  FaultChance chance;
  chance.kind = kind;
  chance.for_min_us = HappensAtOnce(kind) ? kMilli : kSecond / 2;
  chance.for_max_us = HappensAtOnce(kind) ? kSecond : 3 * kSecond;
  std::vector<NodeId> everybody;
  for (const MemberConfig& member : cluster.members) everybody.push_back(member.id);
  const bool one = OneNodeOnly(kind) || kind == FaultKind::kIsolate;
  chance.nodes_max = one ? 1 : std::max<size_t>(everybody.size() / 2, 1);
  if (kind == FaultKind::kRing || kind == FaultKind::kBridge) {  // one half, and its bridge
    chance.nodes_min = kind == FaultKind::kRing ? static_cast<size_t>(LeastNodes(kind)) : 2;
    chance.nodes_max = std::max(chance.nodes_min, chance.nodes_max);
    if (kind == FaultKind::kRing) chance.nodes_max = std::max(chance.nodes_min, everybody.size());
  }
  SetPool(everybody, cluster, &chance);
  const auto amounts = [&chance](uint64_t least, uint64_t most) {
    chance.amount_min = least;
    chance.amount_max = most;
  };
  switch (kind) {
    case FaultKind::kCrash:
      amounts(1, 200);  // file operations
      break;
    case FaultKind::kPowerCut:
      amounts(1, 30);  // acknowledged writes
      chance.nodes_max = chance.pool.size();
      break;
    case FaultKind::kRing:
      amounts(1, 1);  // neighbours on either side
      break;
    case FaultKind::kFlapping:
    case FaultKind::kReset:
      amounts(100'000, 1'000'000);  // the period in microseconds
      break;
    case FaultKind::kSlow:
    case FaultKind::kSlowLinks:
    case FaultKind::kReorder:
      amounts(5'000, 400'000);  // microseconds
      break;
    case FaultKind::kSlowDisk:
      amounts(2'000, 50'000);
      break;
    case FaultKind::kLoss:
    case FaultKind::kDuplicate:
      amounts(50, 400);  // thousandths
      break;
    case FaultKind::kReadError:
    case FaultKind::kFullDisk:
      amounts(1, 2'048);  // reads, bytes
      break;
    case FaultKind::kBadBlock:
    case FaultKind::kBitRot:
      amounts(1, 32);
      break;
    case FaultKind::kClockJump:
      chance.shift_max_us = 60 * kSecond;
      break;
    case FaultKind::kClockDrift:
      chance.shift_max_us = kSecond / 2;
      break;
    default:
      amounts(LeastAmount(kind), LeastAmount(kind));
      break;
  }
  return chance;
}

void SetPool(const std::vector<NodeId>& pool, const ClusterConfig& cluster, FaultChance* chance) {
  chance->pool = pool;
  chance->zones.clear();
  if (chance->kind != FaultKind::kZoneOutage) return;
  std::map<std::string, std::vector<NodeId>> by_zone;
  for (const NodeId id : pool) by_zone[cluster.members[id - 1u].zone].push_back(id);
  for (const auto& [zone, nodes] : by_zone) chance->zones.push_back(nodes);
}

std::vector<Fault> DrawFaults(const std::vector<Fault>& listed, const FaultMix& mix,
                              const PhaseTimes& times, Random random) {
  std::vector<Fault> plan = listed;
  int64_t at_us = times.faults_from_us;
  while (!mix.chances.empty()) {
    at_us += random.Between(1, 2 * mix.every_us);
    if (at_us >= times.faults_until_us) break;
    const size_t place =
        DrawByWeight(random, mix.chances, [](const FaultChance& one) { return one.weight; });
    Fault fault = DrawFault(random, mix.chances[place], at_us);
    if (Fits(fault, plan, mix.at_once_max, times)) plan.push_back(std::move(fault));
  }
  std::stable_sort(plan.begin(), plan.end(),
                   [](const Fault& a, const Fault& b) { return a.start_us < b.start_us; });
  for (size_t i = 0; i < plan.size(); ++i) plan[i].id = i + 1;
  return plan;
}

}  // namespace norn::sim
