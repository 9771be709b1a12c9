#include "sim/campaign_json.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/json_string.h"

namespace norn::sim {

namespace {

std::string JsonCounts(const std::map<std::string, uint64_t>& counts) {
  return absl::StrCat("{",
                      absl::StrJoin(counts, ",",
                                    [](std::string* out, const auto& count) {
                                      absl::StrAppend(out, JsonString(count.first), ":",
                                                      count.second);
                                    }),
                      "}");
}

std::string JsonFailure(const SeedFailure& failure) {
  return absl::StrCat("{\"seed\":", failure.seed, ",\"exit_code\":", failure.exit_code,
                      ",\"text\":", JsonString(failure.Text()), "}");
}

}  // namespace

std::string ToJson(const CampaignResult& result, int64_t real_ms) {
  return absl::StrCat(
      "{\"runs\":", result.runs, ",\"valid\":", result.valid, ",\"virtual_us\":", result.virtual_us,
      ",\"real_ms\":", real_ms, ",\"events\":", result.events, ",\"messages\":", result.messages,
      ",\"file_operations\":", result.file_operations,
      ",\"slowest_heal_us\":", result.slowest_heal_us,
      ",\"slowest_heal_bound_us\":", result.slowest_heal_bound_us,
      ",\"outcomes\":", JsonCounts(result.outcomes),
      ",\"fault_effects\":", JsonCounts(result.fault_effects),
      ",\"rare_branches\":", JsonCounts(result.rare_branches),
      result.phases.phases.empty() ? "" : absl::StrCat(",\"availability\":", ToJson(result.phases)),
      ",\"failures\":[",
      absl::StrJoin(result.failures, ",",
                    [](std::string* out, const SeedFailure& failure) {
                      absl::StrAppend(out, JsonFailure(failure));
                    }),
      "]}");
}

}  // namespace norn::sim
