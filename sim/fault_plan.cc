#include "sim/fault_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace norn::sim {

bool Fault::Concerns(NodeId node) const {
  return nodes.empty() || std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

int64_t WallShiftUs(const Fault& fault, int64_t now_us) {
  if (!fault.ActiveAt(now_us)) return 0;
  if (fault.kind == FaultKind::kClockJump) return fault.shift_us;
  if (fault.kind != FaultKind::kClockDrift) return 0;
  return (now_us - fault.start_us) / 1000 * fault.shift_us / 1000;
}

std::string ToString(const Fault& fault) {
  std::string text = absl::StrCat(FaultKindName(fault.kind), " from ", fault.start_us / 1000,
                                  " ms to ", fault.end_us / 1000, " ms");
  if (!fault.nodes.empty()) absl::StrAppend(&text, ", nodes ", absl::StrJoin(fault.nodes, " "));
  if (fault.kind == FaultKind::kCrash) {
    absl::StrAppend(&text, ", at file operation ", fault.amount);
  } else if (fault.kind == FaultKind::kTornWrite) {
    absl::StrAppend(&text, ", in the ", fault.amount, ". append that spans sectors");
  } else if (fault.kind == FaultKind::kPowerCut) {
    absl::StrAppend(&text, ", at acknowledged write ", fault.amount);
  } else if (fault.kind == FaultKind::kBridge && !fault.nodes.empty()) {
    absl::StrAppend(&text, ", of which n", fault.nodes.front(), " reaches both halves");
  } else if (fault.kind == FaultKind::kRing) {
    absl::StrAppend(&text, " in this order, each reaches ", fault.amount, " on either side");
  } else if (fault.kind == FaultKind::kFlapping || fault.kind == FaultKind::kReset) {
    absl::StrAppend(&text, ", every ", fault.amount / 1000, " ms");
  } else if (fault.amount > 0) {
    absl::StrAppend(&text, ", amount ", fault.amount);
  }
  if (fault.shift_us != 0) absl::StrAppend(&text, ", by ", fault.shift_us / 1000, " ms");
  if (fault.withheld) absl::StrAppend(&text, ", withheld by the fault budget");
  if (fault.down_us > 0) absl::StrAppend(&text, ", down for ", fault.down_us / 1000, " ms");
  if (fault.again) absl::StrAppend(&text, ", again in recovery");
  if (fault.kind == FaultKind::kReadError && fault.tables_only) {
    absl::StrAppend(&text, ", of tables");
  }
  return absl::StrCat(text, ": ", fault.effects, " effects");
}

int64_t BackAfterUs(const Fault& power_cut, size_t index) {
  return power_cut.down_us + static_cast<int64_t>(index % 4) * power_cut.down_us / 4;
}

int64_t RecoveredUs(const Fault& fault) {
  if (fault.kind == FaultKind::kZoneOutage) return fault.start_us + fault.down_us + kSlowRecoveryUs;
  const int64_t down_us = fault.kind == FaultKind::kPowerCut
                              ? BackAfterUs(fault, 3)
                              : (fault.again ? 2 : 1) * fault.down_us;
  return fault.end_us + down_us + kSlowRecoveryUs;
}

}  // namespace norn::sim
