#include "sim/universe_faults.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/sim_disk.h"

namespace norn::sim {

namespace {

constexpr int64_t kRestartUs = 100'000;  // of a process whose store refuses writes

}  // namespace

void UniverseFaults::Schedule() {
  for (size_t i = 0; i < plan_.size(); ++i) {
    const Fault& fault = plan_[i];
    if (fault.kind == FaultKind::kCrash || fault.kind == FaultKind::kTornWrite) {
      scheduler_.At(fault.start_us, [this, i] { BeginCrash(i); });
      scheduler_.At(fault.end_us, [this, i] { EndCrashWindow(i); });
    } else if (fault.kind == FaultKind::kPowerCut) {
      scheduler_.At(fault.start_us, [this, i] { BeginPowerCut(i); });
      scheduler_.At(fault.end_us, [this, i] { CutPower(i); });
    } else if (fault.kind == FaultKind::kZoneOutage) {
      scheduler_.At(fault.start_us, [this, i] { BeginOutage(i); });
    } else if (Destroys(fault.kind)) {
      scheduler_.At(fault.start_us, [this, i] { CopyDisk(i); });
      scheduler_.At(fault.end_us, [this, i] { LoseDisk(i); });
    } else if (Rots(fault.kind)) {
      scheduler_.At(fault.start_us, [this, i] { Rot(i); });
    } else if (OfDisk(fault.kind)) {
      scheduler_.At(fault.start_us, [this, i] { BeginDiskFault(i); });
      scheduler_.At(fault.end_us, [this, i] { EndDiskFault(i); });
    } else {
      scheduler_.At(fault.start_us, [this, i] { Announce(i, "begins"); });
      scheduler_.At(fault.end_us - 1, [this, i] { EndLastingFault(i); });
    }
  }
}

std::optional<size_t> UniverseFaults::Begin(Fault fault) {
  const bool lost = Destroys(fault.kind) || Rots(fault.kind);
  if (lost && !MayDestroy(fault)) return std::nullopt;
  fault.start_us = scheduler_.now_us();
  const size_t number = plan_.size();
  fault.id = number + 1;
  plan_.push_back(std::move(fault));
  switch (plan_[number].kind) {
    case FaultKind::kCrash:
      if (plan_[number].amount > 0) {
        BeginCrash(number);
      } else {
        Announce(number, "begins");
        if (victim(number).up()) Crash(number, victim(number));
      }
      break;
    case FaultKind::kPowerCut:
    case FaultKind::kZoneOutage:
      BeginOutage(number);
      break;
    case FaultKind::kTornWrite:
      BeginCrash(number);
      break;
    case FaultKind::kWipedDisk:
    case FaultKind::kLogRot:
      Announce(number, "begins");
      TryLoseDisk(number);
      break;
    case FaultKind::kOlderDisk:
      CopyDisk(number);
      break;
    case FaultKind::kBitRot:
    case FaultKind::kMisdirectedWrite:
      Announce(number, "begins");
      if (TryRot(number)) WatchRot(number);
      break;
    default:
      if (OfDisk(plan_[number].kind)) {
        BeginDiskFault(number, /*at_once=*/true);
      } else {
        Announce(number, "begins");
      }
  }
  return number;
}

void UniverseFaults::End(size_t fault) {
  const FaultKind kind = plan_[fault].kind;
  if (kind == FaultKind::kOlderDisk) {
    TryLoseDisk(fault);
  } else if (kind == FaultKind::kCrash || kind == FaultKind::kTornWrite) {
    if (plan_[fault].effects == 0) victim(fault).disk().CancelCrash();
  } else if (OfDisk(kind)) {
    HealDisk(fault);
  }
  plan_[fault].end_us = std::min(plan_[fault].end_us, scheduler_.now_us());
  for (FaultedNode* const node : nodes_) node->MaybeGoOn();
  Announce(fault, "ends");
}

bool UniverseFaults::Later(size_t fault, void (UniverseFaults::*what)(size_t)) {
  const FaultKind kind = plan_[fault].kind;
  const bool loses = Destroys(kind) || Rots(kind);
  const int64_t end_us = loses ? end_us_ : end_us_ + kOvertimeUs;
  if (scheduler_.now_us() + kFaultRetryUs >= end_us) return false;
  scheduler_.After(kFaultRetryUs, [this, fault, what] {
    if (!ended_) (this->*what)(fault);
  });
  return true;
}

void UniverseFaults::Announce(size_t fault, const char* what) {
  if (trace_.listened()) {
    RunEvent event;
    event.kind = absl::string_view(what) == "begins" ? RunEvent::Kind::kFaultBegins
                                                     : RunEvent::Kind::kFaultEnds;
    event.time_us = scheduler_.now_us();
    event.id = plan_[fault].id;
    trace_.Tell(event);
  }
  if (!trace_.prints()) return;
  trace_.Explain(scheduler_.now_us(), kNoNode,
                 absl::StrCat("fault ", what, ": ", ToString(plan_[fault])));
}

void UniverseFaults::EndLastingFault(size_t fault) {
  if (plan_[fault].effects == 0 && Later(fault, &UniverseFaults::EndLastingFault)) {
    plan_[fault].end_us += kFaultRetryUs;
    const FaultKind kind = plan_[fault].kind;
    if (kind == FaultKind::kLoss || kind == FaultKind::kDuplicate) {  // few messages: harder
      plan_[fault].amount = std::min<uint64_t>(2 * plan_[fault].amount, 1000);
    }
    return;
  }
  Announce(fault, "ends");
}

bool UniverseFaults::AllStaged() {
  for (size_t i = 0; i < plan_.size(); ++i) {
    const Fault& fault = plan_[i];
    if (EffectsOf(i) < std::max<uint64_t>(fault.effects_min, 1) && !fault.withheld) return false;
  }
  return true;
}

uint64_t UniverseFaults::EffectsOf(size_t fault) {
  const auto it = ill_.find(fault);
  return it == ill_.end() ? plan_[fault].effects : Counted(fault) - it->second;
}

// ---- Crashes ----------------------------------------------------------------------

void UniverseFaults::BeginCrash(size_t fault) {
  if (!victim(fault).up()) return;
  Announce(fault, "begins");
  Arm(fault, plan_[fault].amount);
}

void UniverseFaults::Arm(size_t fault, uint64_t nth) {
  crashing_[victim(fault).id()] = fault;
  if (plan_[fault].kind == FaultKind::kTornWrite) {
    victim(fault).disk().CrashAtTornAppend(nth);
  } else {
    victim(fault).disk().CrashAtOperation(nth, static_cast<CrashLoss>(plan_[fault].loss));
  }
}

// The operation never came: it ends now.
void UniverseFaults::EndCrashWindow(size_t fault) {
  if (plan_[fault].effects > 0) return;
  if (plan_[fault].kind == FaultKind::kTornWrite) {
    // Nothing was written that spans sectors, or somebody else has crashed the node.
    if (victim(fault).up()) Arm(fault, 1);
    if (Later(fault, &UniverseFaults::EndCrashWindow)) plan_[fault].end_us += kFaultRetryUs;
  } else if (victim(fault).up()) {
    Crash(fault, victim(fault));
  } else {
    Later(fault, &UniverseFaults::EndCrashWindow);
  }
}

void UniverseFaults::BeginPowerCut(size_t fault) {
  Announce(fault, "begins");
  power_cuts_[fault] = plan_[fault].amount;
}

void UniverseFaults::BeginOutage(size_t fault) {
  Announce(fault, "begins");
  CutPower(fault);
}

void UniverseFaults::OnAcknowledged() {
  for (auto& [fault, left] : power_cuts_) {
    if (--left > 0) continue;
    // At this instant, but not in the midst of what the node does now.
    scheduler_.After(0, [this, i = fault] { CutPower(i); });
    power_cuts_.erase(fault);
    return;
  }
}

void UniverseFaults::CutPower(size_t fault) {
  power_cuts_.erase(fault);
  if (plan_[fault].effects > 0) return;
  for (const NodeId id : plan_[fault].nodes) {
    if (node(id).up()) Crash(fault, node(id));
  }
  if (plan_[fault].effects > 0) {
    hooks_.power_cut();
  } else {
    Later(fault, &UniverseFaults::CutPower);
  }
}

void UniverseFaults::Crash(size_t fault, FaultedNode& victim) {
  crashing_[victim.id()] = fault;
  victim.disk().CancelCrash();
  victim.Crash(static_cast<CrashLoss>(plan_[fault].loss));
}

void UniverseFaults::OnCrash(NodeId id) {
  if (ended_) return;
  if (restarting_.erase(id) > 0) {
    scheduler_.After(kRestartUs, [this, id] { StartNode(id); });
    return;
  }
  const auto it = crashing_.find(id);
  CORE_CHECK(it != crashing_.end());
  Fault& fault = plan_[it->second];
  // Rotten logs harm nobody before they are read.
  if (fault.kind != FaultKind::kLogRot) ++fault.effects;
  const bool again = fault.again && fault.effects == 1;
  int64_t away_us = fault.down_us;
  if (fault.kind == FaultKind::kPowerCut) {
    const auto place = std::find(fault.nodes.begin(), fault.nodes.end(), id);
    away_us = BackAfterUs(fault, static_cast<size_t>(place - fault.nodes.begin()));
  }
  if (away_us == kNever) return;
  scheduler_.After(away_us, [this, id, again, loss = fault.loss, n = fault.amount] {
    if (node(id).up()) return;
    node(id).disk().Restart();
    if (again) node(id).disk().CrashAtOperation(1 + n % 25, static_cast<CrashLoss>(loss));
    StartNode(id);
  });
}

void UniverseFaults::StartNode(NodeId id) {
  if (node(id).up()) return;
  const FaultCounters& counters = node(id).disk().counters();
  const auto failed = [&counters] {
    return counters.eio + counters.read_errors + counters.disk_full + counters.failed_syncs +
           counters.short_writes + counters.misdirected_reads;
  };
  const uint64_t before = failed();
  std::string error;
  if (node(id).StartUp(&error)) {
    if (node(id).doubts_its_store()) CountLogRot(id);
    return;
  }
  trace_.Explain(scheduler_.now_us(), id, error);
  if (failed() == before) {
    hooks_.refused(id, error);
  } else {
    scheduler_.After(kFaultRetryUs, [this, id] { StartNode(id); });
  }
}

// ---- Lost disks -------------------------------------------------------------------

void UniverseFaults::CopyDisk(size_t fault) {
  Announce(fault, "begins");
  if (plan_[fault].kind == FaultKind::kOlderDisk) copies_[fault] = victim(fault).disk().Fork();
}

void UniverseFaults::LoseDisk(size_t fault) {
  if (plan_[fault].effects > 0) return;
  const bool lost = TryLoseDisk(fault);
  // Logs that nobody needs any more may rot unseen: then others have to.
  const bool unseen = lost && plan_[fault].kind == FaultKind::kLogRot;
  plan_[fault].rotten = plan_[fault].rotten || unseen;
  if (lost && !unseen) return;
  if (Later(fault, &UniverseFaults::LoseDisk)) {
    plan_[fault].end_us += kFaultRetryUs;
  } else {
    plan_[fault].withheld = !plan_[fault].rotten;
  }
}

bool UniverseFaults::MayDestroy(const Fault& fault) const {
  return fault.beyond_budget || hooks_.may_destroy(fault.nodes.front());
}

bool UniverseFaults::TryLoseDisk(size_t fault) {
  const NodeId id = victim(fault).id();
  if (!victim(fault).up() || !MayDestroy(plan_[fault])) return false;
  crashing_[id] = fault;
  victim(fault).disk().CancelCrash();
  if (plan_[fault].kind == FaultKind::kWipedDisk) {
    victim(fault).Wipe();
  } else if (plan_[fault].kind == FaultKind::kLogRot) {
    victim(fault).Crash(CrashLoss::kProcessOnly);
    RotLogs(fault);
  } else {
    victim(fault).Restore(*copies_.at(fault));
    copies_.erase(fault);
  }
  hooks_.destroyed(id);
  return true;
}

void UniverseFaults::EndAll() {
  ended_ = true;
  const int64_t now_us = scheduler_.now_us();
  for (size_t i = 0; i < plan_.size(); ++i) {
    CORE_CHECK(plan_[i].start_us <= now_us);
    plan_[i].end_us = std::min(plan_[i].end_us, now_us);
    HealDisk(i);
  }
  for (FaultedNode* const node : nodes_) {
    node->MaybeGoOn();
    node->disk().CancelCrash();
    if (node->hurt()) node->Crash(CrashLoss::kProcessOnly);
    StartNode(node->id());
  }
}

}  // namespace norn::sim
