// Many seeds on many cores: worker processes, so that a run that crashes is a verdict and
// not the end of the campaign.

#ifndef NORN_SIM_CAMPAIGN_H_
#define NORN_SIM_CAMPAIGN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/subject.h"

namespace norn::sim {

inline constexpr int kJobsMax = 256;

struct CampaignOptions {
  RunOptions run;  // its seed is ignored
  uint64_t first_seed = 1;
  uint64_t last_seed = 1;
  int jobs = 1;
  bool twice = false;  // run every seed twice; unequal hashes are a failure
  // What the numbers from first_seed to last_seed stand for, if they are not the seeds of `run`.
  std::function<RunOptions(uint64_t number)> run_of;
  // Of real time for one run: then it is killed, and counts as crashed. 0: it may take for ever.
  int64_t limit_ms = 0;
  // Asked several times a second: whether to end now. Runs that are under way then do not count.
  // May be null.
  std::function<bool()> enough;
};

struct SeedFailure {
  uint64_t seed = 0;
  int exit_code = 0;     // as norn-sim's
  std::string verdict;   // "VIOLATED", ..., "CRASHED", "STOPPED" at its limit
  std::string property;  // what was violated, or which assertion failed
  std::string witness;
  std::string config;  // empty: the run did not end

  std::string Text() const;  // all of it, in lines
};

struct CampaignResult {
  uint64_t runs = 0;
  uint64_t valid = 0;
  int64_t virtual_us = 0;
  uint64_t events = 0;
  uint64_t messages = 0;
  uint64_t file_operations = 0;
  int64_t slowest_heal_us = 0;
  int64_t slowest_heal_bound_us = 0;  // what that run was allowed
  std::map<std::string, uint64_t> outcomes;
  std::map<std::string, uint64_t> fault_effects;
  std::map<std::string, uint64_t> rare_branches;
  RunPhases phases;                        // of described runs
  std::map<uint64_t, std::string> hashes;  // by seed
  std::vector<SeedFailure> failures;       // by seed
};

// `progress` hears of every finished seed.
CampaignResult RunCampaign(const Subject& subject, const CampaignOptions& options,
                           const std::function<void(const CampaignResult&)>& progress);

// "7", or "1..1000". Returns what is wrong, or nothing.
std::optional<std::string> ParseSeeds(const std::string& text, CampaignOptions* campaign);
// Processors that this process may use, at most kJobsMax.
int Processors();

// The worst of two exit codes of runs: a violation is worst of all, then a crash.
int WorstOf(int a, int b);
// That of a campaign's worst failure.
int ExitCodeOf(const CampaignResult& result);

}  // namespace norn::sim

#endif  // NORN_SIM_CAMPAIGN_H_
