#include "sim/consistency/check_command.h"

#include <cstdint>
#include <iostream>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sim/consistency/check_history.h"
#include "sim/consistency/read_history.h"

namespace norn::consistency {
namespace {

constexpr int kExitValid = 0;
constexpr int kExitViolated = 1;
constexpr int kExitUsage = 2;
constexpr int kExitUnknown = 4;
// ConfigurationSet numbers its records in 32 bits.
constexpr uint64_t kLimitMax = 1'000'000'000;

struct Arguments {
  std::string path;
  std::optional<Model> model;
  std::optional<Format> format;
  std::string initial = "null";
  uint64_t limit = kConfigurationsMax;
  bool json = false;
};

int Refuse(absl::string_view why) {
  std::cerr << "norn-sim: " << why << "\n";
  return kExitUsage;
}

// What is wrong, or nothing.
std::optional<std::string> TakeOption(const std::string& option, const std::string& value,
                                      Arguments* arguments) {
  if (option == "--model") {
    arguments->model = ModelNamed(value);
    if (arguments->model.has_value()) return std::nullopt;
    return absl::StrCat("--model is \"", value,
                        "\": it must be register, cas-register or sessions");
  }
  if (option == "--format") {
    if (value != "jsonl" && value != "edn") {
      return absl::StrCat("--format is \"", value, "\": it must be jsonl or edn");
    }
    arguments->format = value == "edn" ? Format::kEdn : Format::kJsonl;
    return std::nullopt;
  }
  if (option == "--limit") {
    if (absl::SimpleAtoi(value, &arguments->limit) && arguments->limit > 0 &&
        arguments->limit <= kLimitMax) {
      return std::nullopt;
    }
    return absl::StrCat("--limit is \"", value, "\": it must be 1 to ", kLimitMax);
  }
  const auto initial = ValueText(value);
  if (!initial.ok()) return absl::StrCat("--initial: ", initial.status().message());
  arguments->initial = *initial;
  return std::nullopt;
}

std::optional<std::string> ParseArguments(const std::vector<std::string>& words,
                                          Arguments* arguments) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--json") {
      arguments->json = true;
    } else if (word == "--model" || word == "--format" || word == "--limit" ||
               word == "--initial") {
      if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
      if (auto wrong = TakeOption(word, words[++i], arguments)) return wrong;
    } else if (word.size() > 1 && word[0] == '-') {
      return absl::StrCat("unknown option \"", word, "\"; try: norn-sim help");
    } else if (!arguments->path.empty()) {
      return absl::StrCat("check takes one history, not \"", arguments->path, "\" and \"", word,
                          "\"");
    } else {
      arguments->path = word;
    }
  }
  if (arguments->path.empty())
    return "which history? norn-sim check HISTORY.jsonl --model register";
  if (!arguments->model.has_value()) {
    return "which model? Give --model register, cas-register or sessions";
  }
  return std::nullopt;
}

}  // namespace

int CheckCommand(const std::vector<std::string>& words) {
  Arguments arguments;
  if (auto wrong = ParseArguments(words, &arguments)) return Refuse(*wrong);
  BuilderOptions options;
  options.cas = *arguments.model == Model::kCasRegister;
  options.initial = arguments.initial;
  const auto history =
      ReadHistory(arguments.path, arguments.format.value_or(FormatOf(arguments.path)), options);
  if (!history.ok()) return Refuse(history.status().message());
  const CheckResult result = CheckHistory(*history, *arguments.model, arguments.limit);
  if (arguments.json) {
    std::cout << ResultJson(*history, *arguments.model, result) << "\n";
  } else {
    std::cout << DescribeResult(*history, *arguments.model, result);
  }
  return result.verdict == Verdict::kValid      ? kExitValid
         : result.verdict == Verdict::kViolated ? kExitViolated
                                                : kExitUnknown;
}

}  // namespace norn::consistency
