#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/universe_impl.h"

namespace norn::sim {

// Scrubs compare the trees with the data all the time. Damage shows in checksums, so it is no
// excuse.
std::optional<Violation> Universe::CheckTrees() const {
  for (const auto& sim_node : nodes_) {
    const uint64_t mismatches = sim_node->node()->Status().tree_mismatches;
    if (mismatches == 0) continue;
    return Violation{"a Merkle tree says what the records say",
                     absl::StrCat("n", sim_node->id(), ": ", mismatches,
                                  " scrubs found other records than their tree stands for")};
  }
  return std::nullopt;
}

bool Universe::FindViolation(const History& history) {
  const int n = config_.bucket().n;
  const bool overlapping = config_.overlapping();
  const auto broken = [this](Claim claim, const auto& check) {
    return judged(claim) && Violated(check());
  };
  std::map<NodeId, std::string> data_centers;
  for (const MemberConfig& member : config_.cluster.members) {
    data_centers[member.id] = member.data_center;
  }
  // Sessions are one check: where clients do not read their writes, that part is left out.
  const Claim sessions =
      judged(Claim::kReadYourWrites) ? Claim::kReadYourWrites : Claim::kWritesFollowReads;
  return broken(Claim::kUniqueDots, [&] { return CheckDotsUnique(history); }) ||
         broken(Claim::kUniqueDots, [&] { return CheckMintedOnce(history); }) ||
         broken(Claim::kNothingInvented, [&] { return CheckNothingInvented(history); }) ||
         broken(Claim::kDurability,
                [&] { return CheckNothingLost(history, state_, config_.pruning()); }) ||
         broken(Claim::kRefusalsHold, [&] { return CheckRefusalsHold(history, state_); }) ||
         broken(Claim::kDeletesHold,
                [&] { return CheckNoResurrection(history, state_, last_reads_, overlapping); }) ||
         broken(Claim::kConvergence,
                [&] { return CheckFinalReads(history, state_, last_reads_); }) ||
         broken(Claim::kLastWriterWins, [&] { return CheckLastWriterWon(history, state_); }) ||
         broken(Claim::kExpiry, [&] { return CheckExpiry(history); }) ||
         broken(Claim::kReplacedStaysGone, [&] { return CheckReplacedStaysReplaced(history); }) ||
         broken(Claim::kTrees, [&] { return CheckTrees(); }) ||
         broken(Claim::kExactSiblings, [&] { return CheckExactSiblings(history, state_); }) ||
         broken(sessions,
                [&] { return CheckSessions(history, n, sessions == Claim::kReadYourWrites); }) ||
         broken(Claim::kReadsCoverWrites, [&] { return CheckReadsCoverWrites(history, n); }) ||
         broken(Claim::kLocalQuorums, [&] { return CheckLocalQuorums(history, data_centers); }) ||
         broken(Claim::kMonotonicReads, [&] { return CheckMonotonicReads(history); });
}

void Universe::Judge() {
  AddBurials(&workload_->history());
  const History& history = workload_->history();
  if (FindViolation(history)) return;
  if (const std::string unstaged = Unstaged(); !unstaged.empty()) {
    result_.verdict = Verdict::kUnknown;
    result_.property = unstaged;
    return;
  }
  const bool anything =
      std::any_of(history.operations.begin(), history.operations.end(),
                  [](const Operation& o) { return o.ok() && o.kind == ClientRequest::Kind::kPut; });
  result_.verdict = anything ? Verdict::kValid : Verdict::kUnknown;
  if (!anything) result_.property = "no write was ever acknowledged: nothing was tested";
}

std::string Universe::Unstaged() const {
  if (runner_ != nullptr) return runner_->Unstaged();
  for (const Fault& fault : plan_) {
    if (fault.staged()) continue;
    return absl::StrCat("a planned fault ",
                        fault.effects == 0
                            ? "never took effect: "
                            : absl::StrCat("had fewer than ", fault.effects_min, " effects: "),
                        ToString(fault));
  }
  for (const MessageHarm& harm : network_->harms()) {
    if (harm.effects > 0) continue;
    return absl::StrCat("there was no ", harm.label.name, " number ", harm.nth, " from n",
                        harm.from, " to n", harm.to, harm.label.key.empty() ? "" : " about ",
                        harm.label.key, " that could be harmed");
  }
  return "";
}

bool Universe::Violated(std::optional<Violation> violation) {
  if (!violation.has_value()) return false;
  result_.verdict = Verdict::kViolated;
  result_.property = violation->property;
  result_.witness = violation->witness;
  return true;
}

FinalState Universe::DurableState() const {
  FinalState state;
  for (const auto& node : nodes_) {
    for (auto& [key, record] : node->DurableRecords()) state[key][node->id()] = record;
  }
  return state;
}

bool Universe::MayDestroy(NodeId id) {
  const FinalState copies = DurableState();
  budget_->Reconsider(copies);
  return budget_->Allows(id, copies);
}

void Universe::CheckSurvivors() {
  if (result_.verdict == Verdict::kViolated || !judged(Claim::kDurability)) return;
  auto lost = CheckNothingLost(workload_->history(), DurableState(), config_.pruning());
  if (!lost.has_value()) return;
  lost->property = absl::StrCat("while the cluster runs: ", lost->property);
  Violated(std::move(lost));
}

}  // namespace norn::sim
