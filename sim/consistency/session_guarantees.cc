#include "sim/consistency/session_guarantees.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/check.h"

namespace norn::consistency {
namespace {

// The value of operation `first` must not come after that of `second`, of the same process.
struct Demand {
  ValueId from;
  ValueId to;
  size_t first;
  size_t second;
};

constexpr size_t kNone = static_cast<size_t>(-1);
// From so many values on a cycle, a shorter one is looked for.
constexpr size_t kCycleStarts = 64;

class SessionChecker {
 public:
  explicit SessionChecker(const KeyHistory& history)
      : history_(history), operations_(history.operations) {}

  Finding Check() {
    Finding finding = CheckReads();
    if (finding.verdict != Verdict::kValid) return finding;
    finding = CollectDemands();
    if (finding.verdict != Verdict::kValid) return finding;
    // In order of `from`, so that those of a value stand together.
    std::stable_sort(demands_.begin(), demands_.end(),
                     [](const Demand& a, const Demand& b) { return a.from < b.from; });
    first_demand_.assign(history_.values.size() + 1, 0);
    for (const Demand& demand : demands_) ++first_demand_[static_cast<size_t>(demand.from) + 1];
    for (size_t i = 1; i < first_demand_.size(); ++i) first_demand_[i] += first_demand_[i - 1];
    const std::vector<ValueId> core = ValuesOnOrAfterCycles();
    return core.empty() ? Finding{} : DescribeCycle(ShortCycle(core));
  }

 private:
  const std::string& ValueOf(size_t operation) const {
    return history_.values[static_cast<size_t>(operations_[operation].value)];
  }

  static Finding Violated(std::string why, std::vector<size_t> witness) {
    std::sort(witness.begin(), witness.end());
    witness.erase(std::unique(witness.begin(), witness.end()), witness.end());
    return {Verdict::kViolated, std::move(why), std::move(witness)};
  }

  // Every value that was read has one write, which began before the read ended.
  Finding CheckReads() {
    std::vector<size_t> write_of(history_.values.size(), kNone);
    twice_.assign(history_.values.size(), false);
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& write = operations_[i];
      CORE_CHECK(write.kind != Kind::kCas);
      if (write.is_read() || write.outcome == Outcome::kFailed) continue;
      const auto value = static_cast<size_t>(write.value);
      if (write_of[value] != kNone || write.value == kInitialValue) twice_[value] = true;
      write_of[value] = i;
    }
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& read = operations_[i];
      if (!read.is_read() || !read.ok()) continue;
      const auto value = static_cast<size_t>(read.value);
      if (twice_[value]) {
        return {Verdict::kUnknown,
                absl::StrCat("the value ", ValueOf(i), " was written more than once (the initial ",
                             "value counts as written): sessions need unique values"),
                {}};
      }
      if (read.value == kInitialValue) continue;
      if (write_of[value] == kNone) {
        return Violated(absl::StrCat("the value ", ValueOf(i), " was read and never written"), {i});
      }
      if (operations_[write_of[value]].call > read.end) {
        return Violated(absl::StrCat("the value ", ValueOf(i), " was read before its write began"),
                        {i, write_of[value]});
      }
    }
    return {};
  }

  const char* Guarantee(const Demand& demand) const {
    const bool read_first = operations_[demand.first].is_read();
    if (operations_[demand.second].is_read()) {
      return read_first ? "monotonic reads" : "read your writes";
    }
    return read_first ? "writes follow reads" : "monotonic writes";
  }

  Finding CollectDemands() {
    // By process: the last operation that was seen to take effect.
    absl::flat_hash_map<int32_t, size_t> last_of;
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      if (operation.outcome == Outcome::kFailed || (operation.is_read() && !operation.ok())) {
        continue;
      }
      // Nobody read it, so each of its writes has a place of its own and stands in nobody's way.
      if (twice_[static_cast<size_t>(operation.value)]) continue;
      const auto last = last_of.find(operation.process);
      if (last != last_of.end() && operations_[last->second].value != operation.value) {
        const Demand demand{operations_[last->second].value, operation.value, last->second, i};
        if (demand.to == kInitialValue && operation.is_read()) {
          return Violated(absl::StrCat(Guarantee(demand), ": ", history_.values[kInitialValue],
                                       " is what was there before ", ValueOf(demand.first)),
                          {demand.first, i});
        }
        if (demand.from != kInitialValue && demand.to != kInitialValue) demands_.push_back(demand);
      }
      // What a write of unknown outcome follows is known; not what follows it.
      if (operation.ok()) last_of[operation.process] = i;
    }
    return {};
  }

  // Takes away value after value before which nothing needs to come (Kahn); what is left is on
  // cycles, or after them.
  std::vector<ValueId> ValuesOnOrAfterCycles() const {
    std::vector<uint32_t> before(history_.values.size());
    for (const Demand& demand : demands_) ++before[static_cast<size_t>(demand.to)];
    std::vector<size_t> ready;
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] == 0) ready.push_back(i);
    }
    while (!ready.empty()) {
      const size_t value = ready.back();
      ready.pop_back();
      for (size_t d = first_demand_[value]; d < first_demand_[value + 1]; ++d) {
        const auto to = static_cast<size_t>(demands_[d].to);
        if (--before[to] == 0) ready.push_back(to);
      }
    }
    std::vector<ValueId> left;
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] != 0) left.push_back(static_cast<ValueId>(i));
    }
    return left;
  }

  // Breadth first, from `start` back to it; empty if it is on no cycle, or on none below `limit`.
  std::vector<size_t> CycleThrough(ValueId start, size_t limit) const {
    absl::flat_hash_map<ValueId, size_t> by;  // the demand that led to a value
    std::vector<ValueId> layer = {start};
    for (size_t length = 1; length < limit && !layer.empty(); ++length) {
      std::vector<ValueId> next;
      for (const ValueId value : layer) {
        const auto at = static_cast<size_t>(value);
        for (size_t d = first_demand_[at]; d < first_demand_[at + 1]; ++d) {
          if (!by.try_emplace(demands_[d].to, d).second) continue;
          next.push_back(demands_[d].to);
          if (demands_[d].to != start) continue;
          std::vector<size_t> cycle = {d};
          for (ValueId v = demands_[d].from; v != start; v = demands_[cycle.back()].from) {
            cycle.push_back(by.at(v));
          }
          std::reverse(cycle.begin(), cycle.end());
          return cycle;
        }
      }
      layer = std::move(next);
    }
    return {};
  }

  // Values after a cycle may be many, so it is walked back from one of them to the cycle first.
  std::vector<size_t> ShortCycle(const std::vector<ValueId>& core) const {
    std::vector<size_t> came_by(history_.values.size(), kNone);
    std::vector<bool> in_core(history_.values.size());
    for (const ValueId value : core) in_core[static_cast<size_t>(value)] = true;
    for (size_t d = 0; d < demands_.size(); ++d) {
      const Demand& demand = demands_[d];
      if (in_core[static_cast<size_t>(demand.from)]) came_by[static_cast<size_t>(demand.to)] = d;
    }
    std::vector<bool> visited(history_.values.size());
    ValueId on_cycle = core.front();
    while (!visited[static_cast<size_t>(on_cycle)]) {
      visited[static_cast<size_t>(on_cycle)] = true;
      on_cycle = demands_[came_by[static_cast<size_t>(on_cycle)]].from;
    }
    std::vector<size_t> best = CycleThrough(on_cycle, demands_.size() + 1);
    for (size_t i = 0; i < std::min(core.size(), kCycleStarts); ++i) {
      std::vector<size_t> other = CycleThrough(core[i], best.size());
      if (!other.empty()) best = std::move(other);
    }
    return best;
  }

  Finding DescribeCycle(const std::vector<size_t>& cycle) const {
    std::set<std::string> guarantees;
    std::vector<std::string> demands;
    std::vector<size_t> witness;
    for (const size_t d : cycle) {
      const Demand& demand = demands_[d];
      guarantees.insert(Guarantee(demand));
      demands.push_back(absl::StrCat(ValueOf(demand.first), " before ", ValueOf(demand.second),
                                     " (", Guarantee(demand), ")"));
      witness.push_back(demand.first);
      witness.push_back(demand.second);
    }
    return Violated(absl::StrCat(absl::StrJoin(guarantees, ", "), ": no order of the values has ",
                                 absl::StrJoin(demands, ", ")),
                    std::move(witness));
  }

  const KeyHistory& history_;
  const std::vector<Operation>& operations_;
  std::vector<bool> twice_;  // by value: written more than once
  std::vector<Demand> demands_;
  std::vector<size_t> first_demand_;  // by value: into demands_
};

}  // namespace

Finding CheckSessionGuarantees(const KeyHistory& history) {
  return SessionChecker(history).Check();
}

}  // namespace norn::consistency
