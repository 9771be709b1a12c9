// A universe: its parts, and who may do what when.
//
//   universe.cc          what is chosen and built, and how the run goes
//   universe_healing.cc  the healing phase: until the replicas agree, and everything can be read
//   universe_judge.cc    the verdict, and what the oracles know of every copy

#ifndef NORN_SIM_UNIVERSE_IMPL_H_
#define NORN_SIM_UNIVERSE_IMPL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/causality/context_token.h"
#include "core/ring/layout.h"
#include "sim/burials.h"
#include "sim/checkers/fault_budget.h"
#include "sim/claims.h"
#include "sim/history.h"
#include "sim/message_rules.h"
#include "sim/rare_draw.h"
#include "sim/scenario.h"
#include "sim/scenario_runner.h"
#include "sim/scheduler.h"
#include "sim/sim_network.h"
#include "sim/sim_node.h"
#include "sim/store_case.h"
#include "sim/universe.h"
#include "sim/universe_config.h"
#include "sim/universe_faults.h"
#include "sim/workload.h"

namespace norn::sim {

inline constexpr int64_t kHealPollUs = 250'000;  // how often it is looked whether all is well

class Universe final : public StoreObserver {
 public:
  Universe(const RunOptions& options, TraceView view)
      : options_(options),
        seed_(options.replay != nullptr ? options.replay->seed : options.seed),
        until_us_(UntilUs(options)),
        trace_(Listened(std::move(view))) {}

  RunResult Run();

 private:
  void Build();
  // Cases of other subjects are never made into one of the store.
  const StoreCase& replay() const { return static_cast<const StoreCase&>(*options_.replay); }
  static int64_t UntilUs(const RunOptions& options);
  bool scripted() const { return options_.scenario != nullptr && !described(); }
  bool described() const {
    return options_.scenario != nullptr && options_.scenario->environment != nullptr;
  }
  bool recording() const { return options_.recorder && !scripted(); }
  // With the recorder as its listener, if it wants events.
  TraceView Listened(TraceView view) const;
  // What is drawn, or taken from a case or a scenario, before anything is built.
  void Choose();
  void RunScenario();
  void Heal();
  std::optional<Violation> FindApart();
  // A node that another one takes for gone, though all are up.
  std::optional<Violation> FindSuspected() const;
  // What went wrong, or nothing. Leaves the final state and the last reads behind.
  std::optional<std::string> ReadEverything();
  bool ReadOnce(const std::string& key, size_t turn);
  FinalState ReadState();
  // Whether its disk may have lost something that replicas have to mend: by rot, or since the
  // engine gives up what could not be read for long when level 0 is full.
  bool MayHaveLost(NodeId id) const {
    return std::any_of(plan_.begin(), plan_.end(), [id](const Fault& fault) {
      return (Rots(fault.kind) || fault.kind == FaultKind::kBadBlock) && fault.Concerns(id);
    });
  }
  std::optional<Violation> CheckTrees() const;
  void Judge();
  bool judged(Claim claim) const { return IsJudged(claim, config_); }
  // Goes through the claims that are judged, and stops at the first that does not hold.
  bool FindViolation(const History& history);
  // A fault that was planned and never took effect; empty: none.
  std::string Unstaged() const;

  void OnMint(NodeId node, const std::string& record_key, const MintOp& mint) override;
  void OnMinted(const Dot& dot, const std::string& record) override;
  void OnLooked(const std::vector<KeyRecord>& entries) override;
  void OnRemove(const std::string& record_key, const RecordHash& hash) override;
  void OnRefused(const Dot& dot) override {
    workload_->history().minted[minted_.at(dot)].refused = true;
  }

  SimNode& node(NodeId id) { return *nodes_[id - 1u]; }
  bool Violated(std::optional<Violation> violation);

  // What every node would hold after a power cut, by record key.
  FinalState DurableState() const;
  bool MayDestroy(NodeId id);
  // That no acknowledged write is lost, now that disks are.
  void CheckSurvivors();

  const RunOptions options_;
  UniverseConfig config_;
  const uint64_t seed_;
  const int64_t until_us_;  // of faults and clients, unless there is a scenario
  Trace trace_;
  Scheduler scheduler_;
  std::unique_ptr<Layout> layout_;
  std::unique_ptr<FaultBudget> budget_;
  Burials burials_;
  std::unique_ptr<TokenSealer> sealer_;
  std::vector<Fault> plan_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<MessageRules> rules_;                 // a scenario's
  std::vector<std::unique_ptr<SimRareBranches>> rare_;  // by node
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<UniverseFaults> faults_;
  std::unique_ptr<ScenarioRunner> runner_;  // of a scenario
  std::map<Dot, size_t> minted_;            // into the history's list
  std::set<std::string> keys_seen_;         // record keys that were ever minted
  FinalState state_;                        // at rest, after healing
  size_t last_reads_ = 0;                   // the first of the reads of that state, in the history
  std::string unmended_;                    // a range that could not be read then
  std::map<NodeId, std::vector<std::string>> hints_left_;  // when the state was read
  RunResult result_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_UNIVERSE_IMPL_H_
