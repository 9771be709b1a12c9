#include "sim/environment/environment.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/case_check.h"
#include "sim/environment/fault_schedule.h"
#include "sim/environment/topology.h"
#include "sim/environment/workload_text.h"
#include "sim/knobs.h"
#include "sim/store_case_report.h"

namespace norn::sim {

namespace {

constexpr uint64_t kPhaseMaxMs = 3'600'000;

absl::Status TakePhases(const v1::ScenarioPhases& from, const FilePlace& place, Environment* made) {
  const uint64_t warm_up_ms = from.has_warm_up_ms() ? from.warm_up_ms() : 1'000;
  const uint64_t before_ms = from.has_before_ms() ? from.before_ms() : 2'000;
  const uint64_t faults_ms = from.has_faults_ms() ? from.faults_ms() : 12'000;
  const uint64_t after_ms = from.has_after_ms() ? from.after_ms() : 3'000;
  const struct {
    const char* field;
    uint64_t value;
  } phases[] = {{"warm_up_ms", warm_up_ms},
                {"before_ms", before_ms},
                {"faults_ms", faults_ms},
                {"after_ms", after_ms},
                {"healing_ms", from.healing_ms()}};
  for (const auto& [field, value] : phases) {
    if (value <= kPhaseMaxMs) continue;
    return place.Wrong(field, absl::StrCat(field, " is ", value, ": it is at most ", kPhaseMaxMs));
  }
  if (before_ms + faults_ms + after_ms == 0) {
    return place.Wrong("before_ms, faults_ms and after_ms are all 0: nothing would be asked");
  }
  if (from.has_healing_ms() && from.healing_ms() == 0) {
    return place.Wrong("healing_ms", "healing_ms is 0: replicas need time to become equal");
  }
  made->times.from_us = static_cast<int64_t>(warm_up_ms) * 1'000;
  made->times.faults_from_us = made->times.from_us + static_cast<int64_t>(before_ms) * 1'000;
  made->times.faults_until_us =
      made->times.faults_from_us + static_cast<int64_t>(faults_ms) * 1'000;
  made->times.until_us = made->times.faults_until_us + static_cast<int64_t>(after_ms) * 1'000;
  made->config.healing_us = static_cast<int64_t>(from.healing_ms()) * 1'000;
  return absl::OkStatus();
}

absl::Status TakeKnobs(const v1::Scenario& script, const FilePlace& place, UniverseConfig* config) {
  for (int i = 0; i < script.knob_size(); ++i) {
    const v1::ScenarioKnob& knob = script.knob(i);
    const absl::Status set = SetKnob({knob.name(), knob.value(), kNoNode}, config);
    if (!set.ok()) return place.Wrong("knob", std::string(set.message()), i);
  }
  if (config->delay_min_us > config->delay_max_us ||
      config->workload.way_min_us > config->workload.way_max_us) {
    return place.Wrong("knob", "the least delay is above the greatest", 0);
  }
  return absl::OkStatus();
}

bool MovesClocks(const Fault& fault) {
  return fault.kind == FaultKind::kClockJump || fault.kind == FaultKind::kClockDrift;
}

// Whether some replica takes part in a read and in a write of the workload, by their levels.
bool SomeLevelsMeet(const OperationMix& mix, const BucketConfig& bucket) {
  const auto count = [&bucket](const LevelChoice& choice, int own) {
    if (choice.level != Level::kNumber) return LeastCount(choice.level, bucket.n);
    return choice.quorum == 0 ? own : choice.quorum;
  };
  for (const LevelChoice& read : mix.reads) {
    for (const LevelChoice& write : mix.writes) {
      if (count(read, bucket.r) + count(write, bucket.w) > bucket.n) return true;
    }
  }
  return false;
}

// Why these clients could not show that the claim is broken; empty: they could.
std::string Untested(Claim claim, const OperationMix& mix, const BucketConfig& bucket) {
  const auto local = [](const LevelChoice& choice) { return choice.level == Level::kLocalQuorum; };
  switch (claim) {
    case Claim::kReadsCoverWrites:
      if (!SomeLevelsMeet(mix, bucket)) {
        return "no read_level and write_level of the workload are above N together";
      }
      return "";
    case Claim::kLastWriterWins:
      return mix.last_writer_per_mille == 0 ? "keys has last_writer_per_mille: 0" : "";
    case Claim::kExpiry:
      return mix.expiring_per_mille == 0 ? "no value of the workload expires" : "";
    case Claim::kLocalQuorums:
      if (std::none_of(mix.reads.begin(), mix.reads.end(), local)) {
        return "no read_level of the workload is local_quorum";
      }
      return "";
    default:
      return "";
  }
}

absl::Status TakeClaims(const v1::Scenario& script, const FilePlace& place,
                        UniverseConfig* config) {
  for (int i = 0; i < script.claim_size(); ++i) {
    const std::string& name = script.claim(i);
    const std::optional<Claim> claim = ClaimOfName(name);
    if (!claim.has_value()) return place.Wrong("claim", UnknownClaim(name), i);
    std::string why = WhyNot(*claim, *config);
    if (why.empty()) why = Untested(*claim, *config->workload.mix, config->bucket());
    if (!why.empty()) {
      return place.Wrong("claim", absl::StrCat(name, " cannot be claimed here: ", why), i);
    }
    config->claims.insert(*claim);
  }
  return absl::OkStatus();
}

// What any case must obey, a run of this must, too.
absl::Status CheckAsCase(const std::vector<ListedFault>& listed, const FilePlace& place,
                         const Environment& made) {
  std::vector<Fault> plan = made.listed;
  for (size_t i = 0; i < plan.size(); ++i) plan[i].id = i + 1;
  const v1::Case written = ReportStoreSetup(1, made.times.until_us, made.config, plan).recorded();
  const std::optional<CaseProblem> problem = FindProblem(written);
  if (!problem.has_value()) return absl::OkStatus();
  if (problem->field != "fault") return place.Wrong(problem->text);
  const int entry = listed[static_cast<size_t>(problem->index)].entry;
  return place.In("fault", entry).Wrong(problem->text);
}

absl::Status Make(const Scenario& scenario, const FilePlace& place, Environment* made) {
  const v1::Scenario& script = scenario.script;
  UniverseConfig& config = made->config;
  config = scenario.Config();
  config.workload = WorkloadOptions{};
  const FilePlace cluster_place = place.In("cluster");
  absl::Status taken = TakeMembers(script.cluster(), cluster_place, &config.cluster);
  if (!taken.ok()) return taken;
  if (taken = TakePhases(script.phases(), place.In("phases"), made); !taken.ok()) return taken;
  if (taken = TakeLinks(script, place, config.cluster, &config.links); !taken.ok()) return taken;
  NodeOptions first = config.node;
  first.id = 1;
  if (taken = Validate(config.cluster, first); !taken.ok()) {
    return cluster_place.Wrong(std::string(taken.message()));
  }
  taken = TakeWorkload(script.workload(), place.In("workload"), &config);
  if (!taken.ok()) return taken;
  // After the workload, whose patience and ways are knobs, too.
  if (taken = TakeKnobs(script, place, &config); !taken.ok()) return taken;
  if (taken = Validate(config.cluster, first); !taken.ok()) {
    return cluster_place.Wrong(std::string(taken.message()));
  }
  std::vector<ListedFault> listed;
  taken = TakeFaults(script, place, config.cluster, made->times, &listed);
  if (!taken.ok()) return taken;
  for (const ListedFault& one : listed) made->listed.push_back(one.fault);
  if (script.has_faults()) {
    taken = TakeMix(script.faults(), place.In("faults"), config.cluster, &made->mix);
    if (!taken.ok()) return taken;
  }
  const bool clocks =
      std::any_of(made->listed.begin(), made->listed.end(), MovesClocks) ||
      std::any_of(made->mix.chances.begin(), made->mix.chances.end(),
                  [](const FaultChance& chance) { return chance.shift_max_us != 0; });
  if (clocks && config.workload.mix->expiring_per_mille > 0) {
    return place.In("workload")
        .Wrong("expiring_per_mille",
               "values that expire beside a fault of wall clocks: what has expired is judged by "
               "one clock "
               "for all");
  }
  if (taken = TakeClaims(script, place, &config); !taken.ok()) return taken;
  return CheckAsCase(listed, place, *made);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Environment>> MakeEnvironment(const Scenario& scenario,
                                                                   const FilePlace::Tree& tree) {
  const FilePlace place(scenario.path, &tree, v1::Scenario::descriptor());
  auto made = std::make_shared<Environment>();
  if (absl::Status status = Make(scenario, place, made.get()); !status.ok()) return status;
  return std::shared_ptr<const Environment>(std::move(made));
}

std::vector<Fault> DrawPlan(const Environment& environment, KeyedSeed seed) {
  return DrawFaults(environment.listed, environment.mix, environment.times, seed.Stream());
}

}  // namespace norn::sim
