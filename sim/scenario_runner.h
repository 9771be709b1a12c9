// Performs the steps of a scenario in virtual time, one after the other.

#ifndef NORN_SIM_SCENARIO_RUNNER_H_
#define NORN_SIM_SCENARIO_RUNNER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ring/layout.h"
#include "sim/checkers/checkers.h"
#include "sim/fault_plan.h"
#include "sim/message_rules.h"
#include "sim/scenario.h"
#include "sim/scheduler.h"
#include "sim/sim_node.h"
#include "sim/trace.h"
#include "sim/universe_faults.h"
#include "sim/workload.h"

namespace norn::sim {

class ScenarioRunner {
 public:
  // What the steps act upon; all of it outlives the runner.
  struct Stage {
    Scheduler& scheduler;
    Trace& trace;
    Workload& workload;
    UniverseFaults& faults;
    MessageRules& rules;
    const std::vector<Fault>& plan;
    const Layout& layout;
    std::vector<std::unique_ptr<SimNode>>& nodes;  // n<i> is the i-th
    std::function<bool()> agree;                   // whether the replicas of all keys hold the same
  };

  ScenarioRunner(const Scenario& scenario, const Stage& stage)
      : scenario_(scenario), stage_(stage) {}

  // An expectation that was not met, or nothing. Stops there.
  std::optional<Violation> Run();
  // Once the run is over: the first fault or rule that had fewer effects than it should, or a
  // step or a situation that could not be staged; empty: none.
  std::string Unstaged() const;

 private:
  struct Outcome {
    size_t step = 0;
    size_t operation = 0;  // in the history
    bool ended = false;
    std::string message;
    std::string token;
    int stand_ins = 0;
  };
  struct Harm {
    size_t step = 0;
    bool is_rule = false;
    size_t number = 0;  // of the fault in the plan, or of the rule
    uint64_t effects_min = 1;
    std::optional<uint64_t> effects_max;
  };

  std::optional<Violation> Perform(size_t step);
  std::optional<Violation> PerformOperation(size_t step, const v1::ScenarioOperation& operation,
                                            bool waits);
  void Ask(size_t step, const v1::ScenarioOperation& operation, const std::string& suffix);
  std::optional<Violation> Await(Outcome& outcome);
  std::optional<Violation> Judge(const Outcome& outcome) const;
  std::optional<Violation> Check(size_t step, const v1::ScenarioCheck& check);
  void BeginFault(size_t step, const v1::ScenarioFault& fault);
  void AddRule(size_t step, const v1::ScenarioRule& rule);
  void End(const Harm& harm);
  uint64_t EffectsOf(const Harm& harm) const;
  const v1::ScenarioOperation& OperationOf(size_t step) const;
  Violation Unmet(size_t step, const std::string& what) const;

  const Scenario& scenario_;
  const Stage stage_;
  std::map<uint64_t, Outcome> outcomes_;        // by number of asking
  std::map<std::string, uint64_t> operations_;  // by name: the number
  std::map<std::string, size_t> harm_by_name_;  // into harms_
  std::vector<Harm> harms_;
  std::string unstaged_;
  uint64_t last_ = 0;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SCENARIO_RUNNER_H_
