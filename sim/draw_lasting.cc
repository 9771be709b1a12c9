#include <algorithm>
#include <utility>

#include "core/check.h"
#include "sim/fault_draw_parts.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;

// The first `count` in a random order.
std::vector<NodeId> Shuffled(Random& random, int nodes, int count) {
  std::vector<NodeId> all;
  for (int i = 1; i <= nodes; ++i) all.push_back(static_cast<NodeId>(i));
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(i);
    std::swap(all[at], all[at + random.Below(all.size() - at)]);
  }
  all.resize(static_cast<size_t>(count));
  return all;
}

}  // namespace

std::vector<NodeId> DrawSomeNodes(Random& random, int nodes, int count) {
  std::vector<NodeId> some = Shuffled(random, nodes, count);
  std::sort(some.begin(), some.end());
  return some;
}

bool SomeoneIsUp(const Fault& fault, int nodes, const std::vector<Fault>& plan, int64_t until_us,
                 int64_t long_us) {
  for (int i = 1; i <= nodes; ++i) {
    const auto node = static_cast<NodeId>(i);
    if (!fault.Concerns(node)) continue;
    int64_t up_us = until_us - fault.start_us;
    for (const Fault& other : plan) {
      if (!TakesDown(other.kind) || !other.Concerns(node)) continue;
      const int64_t from_us = std::max(other.start_us, fault.start_us);
      const int64_t to_us = std::min(RecoveredUs(other), until_us);
      up_us -= std::max(to_us - from_us, int64_t{0});
    }
    if (up_us >= long_us) return true;
  }
  return false;
}

Fault DrawDiskFault(Random& random, int nodes, int64_t begin_us, int64_t end_us) {
  Fault fault;
  fault.kind = random.Chance(1, 2) ? FaultKind::kReadError : FaultKind::kBadBlock;
  fault.nodes = DrawSomeNodes(random, nodes, 1);
  fault.start_us = random.Between(begin_us + 2 * kSecond, end_us - 5 * kSecond);
  fault.end_us = fault.start_us + random.Between(kSecond / 2, 4 * kSecond);
  const bool blocks = fault.kind == FaultKind::kBadBlock;
  fault.amount = uint64_t{1} << random.Below(blocks ? 6 : 12);
  fault.tables_only = blocks || random.Chance(2, 3);
  return fault;
}

Fault DrawDiskErrors(Random& random, FaultKind kind, NodeId node, int64_t begin_us,
                     int64_t end_us) {
  Fault fault;
  fault.kind = kind;
  fault.nodes = {node};
  fault.start_us = random.Between(begin_us + kSecond, end_us - 5 * kSecond);
  fault.end_us = fault.start_us + random.Between(kSecond / 2, 4 * kSecond);
  fault.amount = 1 + random.Below(kind == FaultKind::kWriteError ? 6 : 3);
  return fault;
}

Fault DrawNodeFault(Random& random, FaultKind kind, int nodes, int64_t begin_us, int64_t end_us) {
  Fault fault;
  fault.kind = kind;
  fault.start_us = random.Between(begin_us, end_us - 4 * kSecond);
  fault.end_us = fault.start_us + random.Between(kSecond / 2, 4 * kSecond);
  int count = 1;
  switch (kind) {
    case FaultKind::kPause:  // mostly longer than what others wait for
    case FaultKind::kStalledDisk:
      count = static_cast<int>(random.Between(1, std::max(1, nodes / 2)));
      break;
    case FaultKind::kClockJump: {
      // From a little, over a day, to ten years: there, or back.
      static constexpr int64_t kReaches[] = {kSecond / 10, 60 * kSecond, 86'400 * kSecond,
                                             int64_t{10} * 366 * 86'400 * kSecond};
      fault.shift_us = random.Between(1, kReaches[random.Below(4)]);
      count = static_cast<int>(random.Between(1, nodes));
      break;
    }
    case FaultKind::kClockDrift:
      fault.shift_us = random.Between(1'000, kSecond / 2);
      count = static_cast<int>(random.Between(1, nodes));
      break;
    case FaultKind::kFullDisk:  // early, so that there is something left to write
      fault.start_us = random.Between(begin_us, end_us - 8 * kSecond);
      fault.end_us = fault.start_us + random.Between(kSecond / 2, 4 * kSecond);
      fault.amount = random.Below(2'048);
      break;
    default:
      CORE_CHECK(false);  // drawn elsewhere
  }
  if (random.Chance(1, 2)) fault.shift_us = -fault.shift_us;
  fault.nodes = DrawSomeNodes(random, nodes, count);
  return fault;
}

Fault DrawLastingFault(Random& random, FaultKind kind, int nodes, int64_t begin_us,
                       int64_t end_us) {
  Fault fault;
  fault.kind = kind;
  fault.start_us = random.Between(begin_us, end_us - 3 * kSecond);
  fault.end_us = fault.start_us + random.Between(kSecond, 3 * kSecond);
  const int most = std::max(1, nodes / 2);
  switch (kind) {
    case FaultKind::kHalves:
    case FaultKind::kOneWay: {
      const int count = static_cast<int>(random.Between(1, most));
      fault.nodes = DrawSomeNodes(random, nodes, count);
      break;
    }
    case FaultKind::kIsolate:
      fault.nodes = DrawSomeNodes(random, nodes, 1);
      break;
    case FaultKind::kSlow:
    case FaultKind::kReorder:
      fault.amount = static_cast<uint64_t>(random.Between(5'000, 400'000));
      break;
    case FaultKind::kSlowDisk:
      fault.nodes =
          DrawSomeNodes(random, nodes, static_cast<int>(random.Between((nodes + 1) / 2, nodes)));
      fault.amount = static_cast<uint64_t>(random.Between(2'000, 50'000));
      break;
    case FaultKind::kLoss:
    case FaultKind::kDuplicate:
      fault.amount = static_cast<uint64_t>(random.Between(50, 400));
      break;
    case FaultKind::kFlapping:
      fault.nodes = DrawSomeNodes(random, nodes, static_cast<int>(random.Between(1, most)));
      fault.amount = static_cast<uint64_t>(random.Between(20'000, 800'000));
      break;
    case FaultKind::kSlowLinks:
      fault.nodes = DrawSomeNodes(random, nodes, static_cast<int>(random.Between(1, most)));
      fault.amount = static_cast<uint64_t>(random.Between(20'000, 800'000));
      break;
    case FaultKind::kReset:
      if (random.Chance(1, 2)) {
        fault.nodes = DrawSomeNodes(random, nodes, static_cast<int>(random.Between(1, most)));
      }
      fault.amount = static_cast<uint64_t>(random.Between(5'000, 300'000));
      break;
    case FaultKind::kBridge: {
      // The bridge, and half of the others.
      const auto in_half = static_cast<int>(random.Between(1, std::max(1, (nodes - 1) / 2)));
      fault.nodes = Shuffled(random, nodes, 1 + in_half);
      break;
    }
    case FaultKind::kRing:  // each sees the least majority that is even on both sides
      fault.nodes = Shuffled(random, nodes, nodes);
      fault.amount = static_cast<uint64_t>(std::max(1, (nodes / 2 + 1) / 2));
      break;
    default:
      CORE_CHECK(false);  // drawn elsewhere
  }
  return fault;
}

}  // namespace norn::sim
