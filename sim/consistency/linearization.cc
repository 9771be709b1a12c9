#include "sim/consistency/linearization.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/check.h"
#include "sim/consistency/configuration_set.h"

namespace norn::consistency {
namespace {

constexpr int32_t kNone = -1;

struct Step {
  Kind kind;
  ValueId value;
  ValueId expected;
  int64_t call;
  int64_t end;    // kNever: optional
  int32_t slot;   // its bit in a configuration, while it is open
  int32_t alike;  // optional: the one before it that does the same, to be taken first; or kNone
  bool taken = false;
};

class Searcher {
 public:
  Searcher(const std::vector<Operation>& operations, uint64_t configurations_max)
      : configurations_max_(configurations_max) {
    Prepare(operations);
  }

  Search Run() {
    ConfigurationSet seen(configuration_.size());
    Search search;
    int32_t from = kNone;  // the step to go on after, when going back; kNone: all are to be tried
    while (first_end_ < ends_.size()) {
      if (from == kNone && TakeFittingRead()) continue;
      const int32_t step = NextCandidate(from);
      if (step != kNone) {
        Take(step, false);
        if (seen.Insert(Configuration())) {
          from = kNone;
          if (first_end_ == ends_.size() || seen.size() < configurations_max_) continue;
          search.verdict = Verdict::kUnknown;
          break;
        }
        Untake();
        from = step;
        continue;
      }
      while (!frames_.empty() && frames_.back().forced) Untake();
      if (frames_.empty()) {
        search.verdict = Verdict::kViolated;
        search.stuck_at = StepAt(ends_[deepest_]).end;
        break;
      }
      from = frames_.back().step;
      Untake();
    }
    search.configurations = seen.size();
    return search;
  }

 private:
  struct Frame {
    int32_t step;
    ValueId state_before;
    size_t first_end_before;
    bool forced;  // a read that fitted: nothing else needs to be tried in its place
  };

  Step& StepAt(int32_t index) { return steps_[static_cast<size_t>(index)]; }

  // What must be taken comes first in steps_, then what may be; both in order of their calls.
  void Prepare(const std::vector<Operation>& operations) {
    std::vector<bool> seen_values;
    const auto see = [&seen_values](ValueId value) {
      const auto at = static_cast<size_t>(value);
      if (at >= seen_values.size()) seen_values.resize(at + 1);
      seen_values[at] = true;
    };
    for (const Operation& o : operations) {
      if (o.is_read() && o.ok()) see(o.value);
      if (o.kind == Kind::kCas && o.outcome != Outcome::kFailed) see(o.expected);
    }
    for (const Operation& o : operations) {
      if (o.ok()) steps_.push_back({o.kind, o.value, o.expected, o.call, o.end, 0, kNone});
    }
    required_ = static_cast<int32_t>(steps_.size());
    std::map<std::tuple<Kind, ValueId, ValueId>, int32_t> alike;
    for (const Operation& o : operations) {
      if (o.is_read() || o.outcome != Outcome::kUnknown) continue;
      const auto at = static_cast<size_t>(o.value);
      if (at >= seen_values.size() || !seen_values[at]) continue;
      int32_t& last = alike.try_emplace({o.kind, o.value, o.expected}, kNone).first->second;
      steps_.push_back({o.kind, o.value, o.expected, o.call, kNever, 0, last});
      last = static_cast<int32_t>(steps_.size()) - 1;
    }
    for (int32_t i = 0; i < required_; ++i) ends_.push_back(i);
    std::sort(ends_.begin(), ends_.end(),
              [this](int32_t a, int32_t b) { return StepAt(a).end < StepAt(b).end; });
    AssignSlots();
    LinkCalls();
  }

  // Operations that are never open at the same time share a bit.
  void AssignSlots() {
    std::vector<int32_t> free;
    int32_t slots = 0;
    size_t ended = 0;
    for (int32_t i = 0; i < required_; ++i) {
      for (; StepAt(ends_[ended]).end < StepAt(i).call; ++ended) {
        free.push_back(StepAt(ends_[ended]).slot);
      }
      if (free.empty()) free.push_back(slots++);
      StepAt(i).slot = free.back();
      free.pop_back();
    }
    for (size_t i = static_cast<size_t>(required_); i < steps_.size(); ++i) {
      steps_[i].slot = slots++;
    }
    configuration_.assign(1 + (static_cast<size_t>(slots) + 63) / 64, 0);
  }

  // Steps that must be taken and are not yet, in a ring through `required_`.
  void LinkCalls() {
    const auto size = static_cast<size_t>(required_) + 1;
    next_.resize(size);
    previous_.resize(size);
    for (int32_t i = 0; i <= required_; ++i) {
      next_[static_cast<size_t>(i)] = i == required_ ? 0 : i + 1;
      previous_[static_cast<size_t>(i)] = i == 0 ? required_ : i - 1;
    }
  }

  // A step can be the next one if it was called before anything that is left has ended.
  int64_t Horizon() { return StepAt(ends_[first_end_]).end; }
  int32_t Next(int32_t step) const { return next_[static_cast<size_t>(step)]; }

  bool TakeFittingRead() {
    const int64_t horizon = Horizon();
    for (int32_t i = Next(required_); i != required_ && StepAt(i).call < horizon; i = Next(i)) {
      if (StepAt(i).kind != Kind::kRead || StepAt(i).value != state_) continue;
      Take(i, true);
      return true;
    }
    return false;
  }

  bool Fits(const Step& step) const {
    return step.kind == Kind::kWrite || (step.kind == Kind::kCas && step.expected == state_);
  }

  int32_t NextCandidate(int32_t from) {
    const int64_t horizon = Horizon();
    int32_t i = Next(required_);
    if (from != kNone) i = from < required_ ? Next(from) : required_;
    for (; i != required_ && StepAt(i).call < horizon; i = Next(i)) {
      if (Fits(StepAt(i))) return i;
    }
    const auto total = static_cast<int32_t>(steps_.size());
    for (i = std::max(from == kNone ? 0 : from + 1, required_); i < total; ++i) {
      const Step& step = StepAt(i);
      if (step.call >= horizon) break;
      if (step.taken || !Fits(step)) continue;
      if (step.alike == kNone || StepAt(step.alike).taken) return i;
    }
    return kNone;
  }

  void Flip(int32_t slot) {
    configuration_[1 + static_cast<size_t>(slot) / 64] ^= uint64_t{1} << (slot % 64);
  }

  void Take(int32_t index, bool forced) {
    Step& step = StepAt(index);
    CORE_CHECK(!step.taken);
    frames_.push_back({index, state_, first_end_, forced});
    step.taken = true;
    Flip(step.slot);
    if (step.kind != Kind::kRead) state_ = step.value;
    if (index >= required_) return;
    const int32_t before = previous_[static_cast<size_t>(index)], after = Next(index);
    next_[static_cast<size_t>(before)] = after;
    previous_[static_cast<size_t>(after)] = before;
    // Ends that are passed: their slots may belong to others from here on.
    while (first_end_ < ends_.size() && StepAt(ends_[first_end_]).taken) {
      Flip(StepAt(ends_[first_end_++]).slot);
    }
    deepest_ = std::max(deepest_, first_end_);
  }

  void Untake() {
    const Frame frame = frames_.back();
    frames_.pop_back();
    Step& step = StepAt(frame.step);
    while (first_end_ > frame.first_end_before) Flip(StepAt(ends_[--first_end_]).slot);
    state_ = frame.state_before;
    Flip(step.slot);
    step.taken = false;
    if (frame.step >= required_) return;
    const auto at = static_cast<size_t>(frame.step);
    next_[static_cast<size_t>(previous_[at])] = frame.step;
    previous_[static_cast<size_t>(next_[at])] = frame.step;
  }

  const std::vector<uint64_t>& Configuration() {
    configuration_[0] = static_cast<uint64_t>(first_end_) << 32 | static_cast<uint32_t>(state_);
    return configuration_;
  }

  const uint64_t configurations_max_;
  std::vector<Step> steps_;
  int32_t required_ = 0;
  std::vector<int32_t> ends_;  // the steps that must be taken, in order of their ends
  std::vector<int32_t> next_;
  std::vector<int32_t> previous_;

  ValueId state_ = kInitialValue;
  size_t first_end_ = 0;  // into ends_: the first that is not taken
  size_t deepest_ = 0;    // the greatest that it was
  std::vector<Frame> frames_;
  std::vector<uint64_t> configuration_;  // end and state, then a bit for each slot
};

}  // namespace

Search SearchLinearization(const std::vector<Operation>& operations, uint64_t configurations_max) {
  return Searcher(operations, configurations_max).Run();
}

}  // namespace norn::consistency
