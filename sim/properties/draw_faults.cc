#include "sim/properties/draw_faults.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace norn::sim {

namespace {

constexpr int64_t kMilli = 1'000;
constexpr int64_t kSecond = 1'000'000;

bool OfClocks(FaultKind kind) {
  return kind == FaultKind::kClockJump || kind == FaultKind::kClockDrift;
}

// `count` of the case's nodes, ascending.
void DrawNodes(Random& random, int64_t count, const v1::Case& written, v1::CaseFault* fault) {
  std::vector<uint32_t> all;
  for (int i = 1; i <= written.node_size(); ++i) all.push_back(static_cast<uint32_t>(i));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    std::swap(all[i], all[i + random.Below(all.size() - i)]);
  }
  all.resize(static_cast<size_t>(count));
  std::sort(all.begin(), all.end());
  for (const uint32_t node : all) fault->add_nodes(node);
}

uint64_t Between(Random& random, int64_t least, int64_t most) {
  return static_cast<uint64_t>(random.Between(least, most));
}

// Amounts, nodes and what else the kind asks for: sim/fault_plan.h says what each means. A kind
// that is not named here befalls one node, which does no harm to any that asks for more.
void FillIn(Random& random, FaultKind kind, const v1::Case& written, v1::CaseFault* fault) {
  const int64_t nodes = written.node_size();
  const int64_t half = std::max<int64_t>(1, nodes / 2);
  const auto some = [&](int64_t least, int64_t most) {
    DrawNodes(random, random.Between(least, most), written, fault);
  };
  switch (kind) {
    case FaultKind::kCrash:
      some(1, 1);
      fault->set_amount(Between(random, 1, 40));
      fault->set_down_us(random.Between(50 * kMilli, kSecond));
      fault->set_loss(static_cast<v1::ScenarioFault::Loss>(random.Below(4)));
      if (random.Chance(1, 4)) fault->set_again(true);
      break;
    case FaultKind::kPowerCut:
      some(random.Chance(2, 3) ? nodes : 1, nodes);
      fault->set_amount(Between(random, 1, 8));
      fault->set_down_us(random.Between(50 * kMilli, kSecond));
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
      fault->set_down_us(random.Between(50 * kMilli, kSecond));
      break;
    default:
      some(1, 1);
      fault->set_amount(Between(random, 50 * kMilli, 500 * kMilli));
      fault->set_down_us(random.Between(50 * kMilli, kSecond));
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
