#include "sim/claims_command.h"

#include <iostream>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/json_string.h"
#include "sim/campaign.h"
#include "sim/scenario_library.h"
#include "sim/store_subject.h"

namespace norn::sim {

namespace {

constexpr uint64_t kSeedsMax = 1'000'000;

struct ClaimsOptions {
  bool prove = false;
  bool json = false;
  uint64_t seeds = 1;
  int jobs = 1;
};

using Showings = std::map<std::string, Showing>;  // by witness

int Refuse(const std::string& why) {
  std::cerr << "norn-sim: " << why << "\n";
  return kExitUsage;
}

std::optional<std::string> Parse(const std::vector<std::string>& words, ClaimsOptions* options) {
  bool runs = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--prove" || word == "--json") {
      (word == "--prove" ? options->prove : options->json) = true;
      continue;
    }
    if (word != "--seeds" && word != "--jobs") {
      return absl::StrCat("unknown option \"", word, "\"");
    }
    if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
    const std::string& value = words[++i];
    const uint64_t most = word == "--seeds" ? kSeedsMax : uint64_t{kJobsMax};
    uint64_t number = 0;
    if (!absl::SimpleAtoi(value, &number) || number < 1 || number > most) {
      return absl::StrCat(word, " is \"", value, "\": it must be 1 to ", most);
    }
    runs = true;
    if (word == "--seeds") {
      options->seeds = number;
    } else {
      options->jobs = static_cast<int>(number);
    }
  }
  if (runs && !options->prove) return "--seeds and --jobs are of --prove";
  return std::nullopt;
}

std::string CommandFor(const std::string& witness) {
  return absl::StrCat("norn-sim run --scenario ", witness, " --seed 1 --trace");
}

bool Shown(const Showing& showing) { return showing.shown == showing.runs; }

// ---- As text ------------------------------------------------------------------------

void PrintMatrix(const ClaimsMatrix& matrix) {
  for (const ClaimsRow& row : matrix.rows) {
    std::cout << row.configuration << "\n";
    for (const std::string& promise : row.promises) {
      std::cout << "  checked  " << promise << ": " << matrix.Find(promise)->text << "\n";
    }
    for (const NeverClaimed& never : row.never) {
      std::cout << "  NEVER    " << never.text << "\n           "
                << (never.witness.empty() ? "not there yet, so nothing shows it"
                                          : absl::StrCat("shown by ", never.witness))
                << "\n";
    }
    std::cout << "\n";
  }
  std::cout
      << "What is checked of all configurations is checked of each. norn-sim claims --prove\n"
      << "performs the scenarios that show what is never claimed.\n\n"
      << "Bugs that are planted to prove the checks: tests/mutants/NAME.patch. tools/mutants\n"
      << "builds a norn-sim with each of them, and hunts it; --prove does not.\n";
  for (const Promise& promise : matrix.promises) {
    std::cout << "  " << promise.name << (promise.claim.has_value() ? "" : " (staged by scenarios)")
              << "\n      " << absl::StrJoin(promise.planted_bugs, "\n      ") << "\n";
  }
}

void PrintShowings(const ClaimsMatrix& matrix, const Showings& showings) {
  size_t shown = 0, missed = 0;
  for (const ClaimsRow& row : matrix.rows) {
    for (const NeverClaimed& never : row.never) {
      std::cout << row.configuration << "\n  never claimed: " << never.text << "\n";
      if (never.witness.empty()) {
        std::cout << "  NOT THERE YET\n\n";
        continue;
      }
      const Showing& showing = showings.at(never.witness);
      ++(Shown(showing) ? shown : missed);
      std::cout << "  " << (Shown(showing) ? "SHOWN" : "NOT SHOWN") << " by " << never.witness
                << ", " << showing.shown << " of " << showing.runs << " runs\n"
                << (Shown(showing) ? "" : absl::StrCat("  ", showing.otherwise, "\n"))
                << "  to see it: " << CommandFor(never.witness) << "\n\n";
    }
  }
  std::cout << shown << " shown, " << missed << " not shown. What is checked is proved by planted "
            << "bugs: norn-sim claims\nnames them, tools/mutants hunts them.\n";
}

// ---- As JSON ------------------------------------------------------------------------

template <typename List, typename ToText>
std::string JsonList(const List& list, const ToText& to_text) {
  return absl::StrCat(
      "[",
      absl::StrJoin(list, ",",
                    [&to_text](std::string* out, const auto& one) { out->append(to_text(one)); }),
      "]");
}

std::string JsonPromise(const Promise& promise) {
  return absl::StrCat(
      "{\"name\":", JsonString(promise.name), ",\"text\":", JsonString(promise.text),
      ",\"checked_in\":\"", promise.claim.has_value() ? "every run" : "scenarios",
      "\",\"planted_bugs\":",
      JsonList(promise.planted_bugs, [](const std::string& bug) { return JsonString(bug); }), "}");
}

// `showings` is null if nothing was run.
std::string JsonNever(const NeverClaimed& never, const Showings* showings) {
  std::string json = absl::StrCat("{\"text\":", JsonString(never.text));
  if (never.witness.empty()) return json + ",\"witness\":null}";
  absl::StrAppend(&json, ",\"witness\":", JsonString(never.witness),
                  ",\"command\":", JsonString(CommandFor(never.witness)));
  if (showings != nullptr) {
    const Showing& showing = showings->at(never.witness);
    absl::StrAppend(&json, ",\"shown\":", Shown(showing) ? "true" : "false",
                    ",\"runs\":", showing.runs, ",\"runs_that_show\":", showing.shown,
                    ",\"otherwise\":", JsonString(showing.otherwise));
  }
  return json + "}";
}

std::string ToJson(const ClaimsMatrix& matrix, const Showings* showings) {
  const auto row_json = [&](const ClaimsRow& row) {
    const auto promise_json = [](const std::string& name) { return JsonString(name); };
    const auto never_json = [&](const NeverClaimed& never) { return JsonNever(never, showings); };
    return absl::StrCat("{\"configuration\":", JsonString(row.configuration),
                        ",\"checked\":", JsonList(row.promises, promise_json),
                        ",\"never_claimed\":", JsonList(row.never, never_json), "}");
  };
  return absl::StrCat("{\"configurations\":", JsonList(matrix.rows, row_json),
                      ",\"claims\":", JsonList(matrix.promises, JsonPromise), "}");
}

}  // namespace

absl::StatusOr<Showing> ShowWitness(const std::string& witness, uint64_t seeds, int jobs) {
  auto scenario = FindScenario(witness);
  if (!scenario.ok()) return scenario.status();
  CampaignOptions options;
  options.run.scenario = *std::move(scenario);
  options.last_seed = seeds;
  options.jobs = jobs;
  const CampaignResult result = RunCampaign(NornStore(), options, [](const CampaignResult&) {});
  Showing showing;
  showing.runs = result.runs;
  showing.shown = result.valid;
  if (!result.failures.empty()) {
    const SeedFailure& first = result.failures.front();
    showing.otherwise = absl::StrCat("seed ", first.seed, ": ", first.verdict, ": ", first.property,
                                     first.witness.empty() ? "" : "; ",
                                     absl::string_view(first.witness).substr(0, 200));
  }
  return showing;
}

int ClaimsCommand(const ClaimsMatrix& matrix, const std::vector<std::string>& words,
                  int processors) {
  ClaimsOptions options;
  options.jobs = processors;
  if (auto wrong = Parse(words, &options)) return Refuse(*wrong + "\nTry: norn-sim help");
  Showings showings;
  int worst = kExitValid;
  for (const ClaimsRow& row : matrix.rows) {
    for (const NeverClaimed& never : row.never) {
      if (!options.prove || never.witness.empty() || showings.count(never.witness) != 0) continue;
      auto showing = ShowWitness(never.witness, options.seeds, options.jobs);
      if (!showing.ok()) return Refuse(std::string(showing.status().message()));
      if (!Shown(*showing)) worst = kExitViolated;
      showings[never.witness] = *std::move(showing);
    }
  }
  if (options.json) {
    std::cout << ToJson(matrix, options.prove ? &showings : nullptr) << "\n";
  } else if (options.prove) {
    PrintShowings(matrix, showings);
  } else {
    PrintMatrix(matrix);
  }
  return worst;
}

}  // namespace norn::sim
