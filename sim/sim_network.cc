#include "sim/sim_network.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace norn::sim {

Fault* SimNetwork::CutBy(NodeId from, NodeId to) {
  for (Fault& fault : *plan_) {
    if (!fault.ActiveAt(scheduler_.now_us())) continue;
    const bool from_inside = fault.Concerns(from);
    const bool to_inside = fault.Concerns(to);
    switch (fault.kind) {
      case FaultKind::kHalves:
      case FaultKind::kIsolate:
        if (from_inside != to_inside) return &fault;
        break;
      case FaultKind::kOneWay:
        if (from_inside && !to_inside) return &fault;
        break;
      default:
        break;
    }
  }
  return nullptr;
}

void SimNetwork::Send(NodeId from, NodeId to, std::string bytes) {
  ++sent_;
  trace_.Record(scheduler_.now_us(), from, absl::StrCat("send to n", to), bytes);
  if (Fault* const cut = CutBy(from, to)) {
    ++cut->effects;
    return;
  }
  for (Fault& fault : *plan_) {
    if (!fault.ActiveAt(scheduler_.now_us())) continue;
    if (fault.kind == FaultKind::kLoss && random_.Chance(fault.amount, 1000)) {
      ++fault.effects;
      return;
    }
    if (fault.kind == FaultKind::kDuplicate && random_.Chance(fault.amount, 1000)) {
      ++fault.effects;
      Launch(from, to, bytes);
    }
  }
  Launch(from, to, std::move(bytes));
}

void SimNetwork::Launch(NodeId from, NodeId to, std::string bytes) {
  int64_t delay_us = random_.Between(delay_min_us_, delay_max_us_);
  bool in_order = true;
  for (Fault& fault : *plan_) {
    const bool slows = fault.kind == FaultKind::kSlow || fault.kind == FaultKind::kReorder;
    if (!slows || !fault.ActiveAt(scheduler_.now_us())) continue;
    delay_us += static_cast<int64_t>(random_.Below(fault.amount + 1));
    if (fault.kind == FaultKind::kSlow) ++fault.effects;
    if (fault.kind == FaultKind::kReorder) in_order = false;
  }
  int64_t arrival_us = scheduler_.now_us() + delay_us;
  int64_t& last_us = last_arrival_us_[{from, to}];
  if (in_order) {
    arrival_us = std::max(arrival_us, last_us);
  } else if (arrival_us < last_us) {
    for (Fault& fault : *plan_) {
      if (fault.kind == FaultKind::kReorder && fault.ActiveAt(scheduler_.now_us())) {
        ++fault.effects;
      }
    }
  }
  last_us = std::max(last_us, arrival_us);
  scheduler_.At(arrival_us,
                [this, from, to, bytes = std::move(bytes)] { Deliver(from, to, bytes); });
}

void SimNetwork::Deliver(NodeId from, NodeId to, const std::string& bytes) {
  if (Fault* const cut = CutBy(from, to)) {
    ++cut->effects;
    return;
  }
  ++delivered_;
  trace_.Record(scheduler_.now_us(), to, absl::StrCat("receive from n", from), bytes);
  receiver_(from, to, bytes);
}

}  // namespace norn::sim
