#include "sim/faulted_node.h"

#include <utility>

#include "sim/wall_time.h"

namespace norn::sim {

void FaultedNode::Crash(CrashLoss loss) {
  disk_.Crash(loss);
  BuryIfCrashed();
}

void FaultedNode::Wipe() {
  disk_.Wipe();
  BuryIfCrashed();
}

void FaultedNode::Restore(const SimDisk& copy) {
  disk_.Restore(copy);
  BuryIfCrashed();
}

Fault* FaultedNode::Active(FaultKind kind) {
  for (Fault& fault : *plan_) {
    if (fault.kind != kind || !fault.ActiveAt(scheduler_.now_us())) continue;
    if (fault.Concerns(id())) return &fault;
  }
  return nullptr;
}

int64_t FaultedNode::WallUs() {
  const int64_t now_us = scheduler_.now_us();
  int64_t wall_us = kWallOriginUs + now_us;
  for (Fault& fault : *plan_) {
    const int64_t shift_us = WallShiftUs(fault, now_us);
    if (shift_us == 0 || !fault.Concerns(id())) continue;
    wall_us += shift_us;
    ++fault.effects;
  }
  return wall_us;
}

bool FaultedNode::Hold(std::function<void()> action) {
  Fault* const pause = Active(FaultKind::kPause);
  if (pause == nullptr && held_.empty()) return false;
  if (pause != nullptr) {
    ++pause->effects;
    if (held_.empty() && pause->end_us != kNever) {
      scheduler_.At(pause->end_us, [this] { MaybeGoOn(); });
    }
  }
  held_.push_back([epoch = epoch_, this, action = std::move(action)] {
    if (epoch == epoch_) action();
  });
  return true;
}

void FaultedNode::MaybeGoOn() {
  if (held_.empty()) return;
  if (const Fault* const pause = Active(FaultKind::kPause)) {
    // Another pause took over, or this one was prolonged.
    if (pause->end_us != kNever) scheduler_.At(pause->end_us, [this] { MaybeGoOn(); });
    return;
  }
  trace_.Record(scheduler_.now_us(), id(), "goes on", "");
  // What comes in meanwhile comes after what has waited.
  std::deque<std::function<void()>> waiting = std::exchange(held_, {});
  const uint64_t epoch = epoch_;
  for (const std::function<void()>& action : waiting) {
    if (epoch_ != epoch) return;  // it died of the one before
    action();
  }
}

int64_t FaultedNode::SlowDiskUs(Random& random) {
  int64_t slower_us = 0;
  for (Fault& fault : *plan_) {
    if (fault.kind != FaultKind::kSlowDisk || !fault.Concerns(id())) continue;
    if (!fault.ActiveAt(scheduler_.now_us())) continue;
    slower_us += static_cast<int64_t>(random.Below(fault.amount + 1));
    ++fault.effects;
  }
  return slower_us;
}

}  // namespace norn::sim
