// The report of a campaign for programs.

#ifndef NORN_SIM_CAMPAIGN_JSON_H_
#define NORN_SIM_CAMPAIGN_JSON_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sim/campaign.h"

namespace norn::sim {

// `text` as a JSON string, with its quotes; ASCII whatever the text. Bytes from 0x80 on are
// taken for Latin-1, so that any bytes give valid JSON.
std::string JsonString(absl::string_view text);

// One object, one line. Names are those of CampaignResult.
std::string ToJson(const CampaignResult& result, int64_t real_ms);

}  // namespace norn::sim

#endif  // NORN_SIM_CAMPAIGN_JSON_H_
