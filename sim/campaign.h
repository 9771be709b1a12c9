// Many seeds on many cores: worker processes, so that a run that crashes is a verdict and
// not the end of the campaign.

#ifndef NORN_SIM_CAMPAIGN_H_
#define NORN_SIM_CAMPAIGN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/universe.h"

namespace norn::sim {

inline constexpr int kJobsMax = 256;

struct CampaignOptions {
  RunOptions run;  // its seed is ignored
  uint64_t first_seed = 1;
  uint64_t last_seed = 1;
  int jobs = 1;
  bool twice = false;  // run every seed twice; unequal hashes are a failure
};

struct SeedFailure {
  uint64_t seed = 0;
  int exit_code = 0;  // as norn-sim's
  std::string text;   // the property, then the witness
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
  std::map<uint64_t, std::string> hashes;  // by seed
  std::vector<SeedFailure> failures;       // by seed
};

// `progress` hears of every finished seed.
CampaignResult RunCampaign(const CampaignOptions& options,
                           const std::function<void(const CampaignResult&)>& progress);

// The exit code of a campaign: that of its worst failure; a violation is worst of all.
int ExitCodeOf(const CampaignResult& result);

}  // namespace norn::sim

#endif  // NORN_SIM_CAMPAIGN_H_
