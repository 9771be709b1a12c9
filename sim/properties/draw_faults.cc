#include "sim/properties/draw_faults.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace norn::sim {

namespace {

constexpr int64_t kMilli = 1'000;
constexpr int64_t kSecond = 1'000'000;

bool OfClocks(FaultKind kind) {
  return kind == FaultKind::kClockJump || kind == FaultKind::kClockDrift;
}

// `count` of the case's nodes, ascending, or in any order.
void DrawNodes(Random& random, int64_t count, bool sorted, const v1::Case& written,
               v1::CaseFault* fault) {
  std::vector<uint32_t> all;
  for (int i = 1; i <= written.node_size(); ++i) all.push_back(static_cast<uint32_t>(i));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    std::swap(all[i], all[i + random.Below(all.size() - i)]);
  }
  all.resize(static_cast<size_t>(count));
  if (sorted) std::sort(all.begin(), all.end());
  for (const uint32_t node : all) fault->add_nodes(node);
}

uint64_t Between(Random& random, int64_t least, int64_t most) {
  return static_cast<uint64_t>(random.Between(least, most));
}

// Amounts, nodes and what else the kind asks for: sim/fault_kinds.h says what each means.
void FillIn(Random& random, FaultKind kind, const v1::Case& written, v1::CaseFault* fault) {
  const int64_t nodes = written.node_size();
  const int64_t half = std::max<int64_t>(1, nodes / 2);
  const auto some = [&](int64_t least, int64_t most) {
    DrawNodes(random, random.Between(least, most), /*sorted=*/true, written, fault);
  };
  const auto in_any_order = [&](int64_t least, int64_t most) {
    DrawNodes(random, random.Between(least, most), /*sorted=*/false, written, fault);
  };
  const auto down = [&] { fault->set_down_us(random.Between(50 * kMilli, kSecond)); };
  switch (kind) {
    case FaultKind::kCrash:
      some(1, 1);
      fault->set_amount(Between(random, 1, 40));
      down();
      fault->set_loss(static_cast<v1::ScenarioFault::Loss>(random.Below(4)));
      if (random.Chance(1, 4)) fault->set_again(true);
      break;
    case FaultKind::kPowerCut:
      some(random.Chance(2, 3) ? nodes : 1, nodes);
      fault->set_amount(Between(random, 1, 8));
      down();
      if (random.Chance(1, 3)) fault->set_loss(v1::ScenarioFault::RANDOM_SUBSET);
      break;
    case FaultKind::kHalves:
    case FaultKind::kOneWay:
      some(1, half);
      break;
    case FaultKind::kIsolate:
      some(1, 1);
      break;
    case FaultKind::kSlow:
    case FaultKind::kReorder:
      fault->set_amount(Between(random, 5 * kMilli, 400 * kMilli));
      break;
    case FaultKind::kLoss:
    case FaultKind::kDuplicate:
      fault->set_amount(Between(random, 50, 500));
      break;
    case FaultKind::kSlowDisk:
      some(1, nodes);
      fault->set_amount(Between(random, 2 * kMilli, 50 * kMilli));
      break;
    case FaultKind::kPause:
    case FaultKind::kStalledDisk:
      some(1, half);
      break;
    case FaultKind::kClockJump:
    case FaultKind::kClockDrift: {
      some(1, nodes);
      const bool jump = kind == FaultKind::kClockJump;
      const int64_t reach_us = jump ? (random.Chance(1, 2) ? 60 : 86'400) * kSecond : kSecond / 2;
      const int64_t shift_us = random.Between(kMilli, reach_us);
      fault->set_shift_us(random.Chance(1, 2) ? shift_us : -shift_us);
      break;
    }
    case FaultKind::kReadError:
      some(1, 1);
      fault->set_amount(Between(random, 1, 64));
      if (random.Chance(2, 3)) fault->set_tables_only(true);
      break;
    case FaultKind::kBadBlock:
    case FaultKind::kBitRot:
      some(1, 1);
      fault->set_amount(Between(random, 1, 16));
      if (kind == FaultKind::kBadBlock) fault->set_tables_only(true);
      break;
    case FaultKind::kFullDisk:
      some(1, 1);
      fault->set_amount(random.Below(1'024));
      break;
    case FaultKind::kWipedDisk:
    case FaultKind::kOlderDisk:
      some(1, 1);
      down();
      break;
    case FaultKind::kBridge:
      in_any_order(2, 1 + half);
      break;
    case FaultKind::kRing:
      in_any_order(nodes, nodes);
      fault->set_amount(static_cast<uint64_t>(std::max<int64_t>(1, (nodes / 2 + 1) / 2)));
      break;
    case FaultKind::kFlapping:
    case FaultKind::kReset:
      some(1, half);
      fault->set_amount(Between(random, 10 * kMilli, 200 * kMilli));
      break;
    case FaultKind::kSlowLinks:
      some(1, half);
      fault->set_amount(Between(random, 5 * kMilli, 400 * kMilli));
      break;
    case FaultKind::kZoneOutage: {
      const auto zone = [&](int64_t node) { return written.node(static_cast<int>(node)).zone(); };
      const std::string dark = zone(random.Between(0, nodes - 1));
      for (int64_t i = 0; i < nodes; ++i) {
        if (zone(i) == dark) fault->add_nodes(static_cast<uint32_t>(i + 1));
      }
      down();
      break;
    }
    case FaultKind::kTornWrite:
      some(1, 1);
      fault->set_amount(Between(random, 1, 3));
      down();
      break;
    case FaultKind::kWriteError:
    case FaultKind::kFailedSync:
    case FaultKind::kMisdirectedRead:
    case FaultKind::kMisdirectedWrite:
      some(1, 1);
      fault->set_amount(Between(random, 1, 16));
      break;
    case FaultKind::kLogRot:
      some(1, 1);
      fault->set_amount(Between(random, 1, 16));
      down();
      break;
  }
}

}  // namespace

void DrawFault(Random& random, const FaultShape& shape, const FaultRoom& room, uint64_t id,
               v1::Case* written) {
  std::vector<FaultKind> kinds = shape.kinds;
  if (kinds.empty()) {
    for (int kind = 0; kind < kFaultKindCount; ++kind)
      kinds.push_back(static_cast<FaultKind>(kind));
  }
  std::erase_if(kinds, [&](FaultKind kind) {
    return !Applicable(kind, written->node_size()) || (OfClocks(kind) && !room.clocks);
  });
  if (kinds.empty()) return;
  const FaultKind kind = kinds[random.Below(kinds.size())];
  v1::CaseFault& fault = *written->add_fault();
  fault.set_id(id);
  fault.set_kind(static_cast<v1::ScenarioFault::Kind>(kind));
  const int64_t start_us = random.Between(room.begin_us, room.end_us - 1) / kMilli * kMilli;
  fault.set_start_us(start_us);
  fault.set_end_us(start_us + random.Between(shape.lasting_us.least, shape.lasting_us.most));
  FillIn(random, kind, *written, &fault);
}

}  // namespace norn::sim
