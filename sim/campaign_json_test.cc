#include "sim/campaign_json.h"

#include <string>

#include "absl/strings/string_view.h"
#include "core/json_string.h"
#include "gtest/gtest.h"

namespace norn::sim {
namespace {

TEST(JsonString, EscapesWhateverJsonDoesNotAllow) {
  EXPECT_EQ(JsonString("plain, with spaces"), "\"plain, with spaces\"");
  EXPECT_EQ(JsonString("a \"b\" \\ c"), "\"a \\\"b\\\" \\\\ c\"");
  EXPECT_EQ(JsonString("two\nlines"), "\"two\\nlines\"");
  EXPECT_EQ(JsonString(absl::string_view("\0\t\r\x1b\x7f\xff", 6)),
            "\"\\u0000\\u0009\\u000d\\u001b\\u007f\\u00ff\"");
}

TEST(CampaignJson, AnEmptyCampaign) {
  EXPECT_EQ(ToJson(CampaignResult{}, 7),
            "{\"runs\":0,\"valid\":0,\"virtual_us\":0,\"real_ms\":7,\"events\":0,\"messages\":0,"
            "\"file_operations\":0,\"slowest_heal_us\":0,\"slowest_heal_bound_us\":0,\"outcomes\":{"
            "},\"fault_effects\":{},\"rare_branches\":{},"
            "\"failures\":[]}");
}

TEST(CampaignJson, CountsAndFailures) {
  CampaignResult result;
  result.runs = 2;
  result.outcomes = {{"get ok", 3}, {"put \"odd\"", 4}};
  SeedFailure violated;
  violated.seed = 1;
  violated.exit_code = 1;
  violated.verdict = "VIOLATED";
  violated.property = "a\x01";
  violated.witness = "w";
  violated.config = "c";
  SeedFailure crashed;
  crashed.seed = 2;
  crashed.exit_code = 5;
  crashed.verdict = "CRASHED";
  result.failures = {violated, crashed};
  const std::string json = ToJson(result, 0);
  EXPECT_NE(json.find("\"outcomes\":{\"get ok\":3,\"put \\\"odd\\\"\":4}"), std::string::npos);
  EXPECT_NE(
      json.find(
          "\"failures\":[{\"seed\":1,\"exit_code\":1,\"text\":\"VIOLATED: a\\u0001\\nw\\n  c\"},"
          "{\"seed\":2,\"exit_code\":5,\"text\":\"CRASHED: \"}]"),
      std::string::npos)
      << json;
}

}  // namespace
}  // namespace norn::sim
