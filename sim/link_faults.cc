#include "sim/link_faults.h"

#include <algorithm>

namespace norn::sim {

namespace {

bool OnOneSideOnly(const Fault& fault, NodeId from, NodeId to) {
  return fault.Concerns(from) != fault.Concerns(to);
}

bool CutsBridge(const Fault& fault, NodeId from, NodeId to) {
  if (fault.nodes.empty()) return false;
  const NodeId bridge = fault.nodes.front();
  return from != bridge && to != bridge && OnOneSideOnly(fault, from, to);
}

bool CutsRing(const Fault& fault, NodeId from, NodeId to) {
  const auto begin = fault.nodes.begin();
  const auto end = fault.nodes.end();
  const auto a = std::find(begin, end, from);
  const auto b = std::find(begin, end, to);
  if (a == end || b == end) return false;
  const auto apart = static_cast<uint64_t>(a < b ? b - a : a - b);
  return std::min(apart, fault.nodes.size() - apart) > fault.amount;
}

// The first half of each period is cut.
bool FlapsNow(const Fault& fault, int64_t now_us) {
  const int64_t period_us = std::max<int64_t>(static_cast<int64_t>(fault.amount), 2);
  return (now_us - fault.start_us) % period_us < period_us / 2;
}

}  // namespace

bool Cuts(const Fault& fault, NodeId from, NodeId to, int64_t now_us) {
  if (!fault.ActiveAt(now_us)) return false;
  switch (fault.kind) {
    case FaultKind::kHalves:
    case FaultKind::kIsolate:
      return OnOneSideOnly(fault, from, to);
    case FaultKind::kOneWay:
      return fault.Concerns(from) && !fault.Concerns(to);
    case FaultKind::kBridge:
      return CutsBridge(fault, from, to);
    case FaultKind::kRing:
      return CutsRing(fault, from, to);
    case FaultKind::kFlapping:
      return OnOneSideOnly(fault, from, to) && FlapsNow(fault, now_us);
    default:
      return false;
  }
}

bool Slows(const Fault& fault, NodeId from, NodeId to, int64_t now_us) {
  if (!fault.ActiveAt(now_us)) return false;
  if (fault.kind == FaultKind::kSlowLinks) return OnOneSideOnly(fault, from, to);
  return fault.kind == FaultKind::kSlow || fault.kind == FaultKind::kReorder;
}

bool Resets(const Fault& fault, const KeyedSeed& seed, NodeId from, NodeId to, int64_t after_us,
            int64_t until_us) {
  if (fault.kind != FaultKind::kReset || (!fault.Concerns(from) && !fault.Concerns(to))) {
    return false;
  }
  const int64_t period_us = std::max<int64_t>(static_cast<int64_t>(fault.amount), 1);
  const int64_t last_us = std::min(until_us, fault.end_us - 1);
  if (last_us < fault.start_us) return false;
  const KeyedSeed link = seed.With("reset")
                             .With(fault.id)
                             .With(uint64_t{std::min(from, to)})
                             .With(uint64_t{std::max(from, to)});
  const int64_t first_us = std::max(after_us, fault.start_us);
  for (int64_t n = (first_us - fault.start_us) / period_us;
       n <= (last_us - fault.start_us) / period_us; ++n) {
    const int64_t at_us = fault.start_us + n * period_us +
                          link.With(static_cast<uint64_t>(n)).Stream().Between(0, period_us - 1);
    if (at_us > after_us && at_us <= last_us) return true;
  }
  return false;
}

}  // namespace norn::sim
