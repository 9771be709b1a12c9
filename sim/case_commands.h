// What norn-sim does with cases: writes them down, replays them, cuts them down.

#ifndef NORN_SIM_CASE_COMMANDS_H_
#define NORN_SIM_CASE_COMMANDS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/campaign.h"
#include "sim/subject.h"

namespace norn::sim {

// All return norn-sim's exit code, and have said on standard error what is wrong if it is
// kExitUsage. `words` is what follows the command; `origin` tells in the case where it is from.

// run --seed S --case FILE
int WriteCase(const Subject& subject, const RunOptions& run, const std::string& origin,
              const std::string& path);
// The same for each failure of a campaign: DIR/seed-S.textproto. Returns kExitValid, unless a
// file cannot be written.
int WriteFailures(const Subject& subject, const CampaignOptions& options,
                  const CampaignResult& result,
                  const std::function<std::string(uint64_t seed)>& origin, const std::string& dir);

// replay FILE [--trace] [--events A..B] [--checkpoints K]
int ReplayCommand(const Subject& subject, const std::vector<std::string>& words);

// shrink FILE -o MIN [--budget 60s] [--limit 20s] [--jobs J]; kExitValid if MIN was written.
int ShrinkCommand(const Subject& subject, const std::vector<std::string>& words, int processors);

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_COMMANDS_H_
