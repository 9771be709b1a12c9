// The report of a campaign for programs.

#ifndef NORN_SIM_CAMPAIGN_JSON_H_
#define NORN_SIM_CAMPAIGN_JSON_H_

#include <cstdint>
#include <string>

#include "sim/campaign.h"

namespace norn::sim {

// One object, one line. Names are those of CampaignResult.
std::string ToJson(const CampaignResult& result, int64_t real_ms);

}  // namespace norn::sim

#endif  // NORN_SIM_CAMPAIGN_JSON_H_
