// norn-sim: the simulator's command line.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sim/bisect.h"
#include "sim/campaign.h"
#include "sim/campaign_json.h"
#include "sim/case_commands.h"
#include "sim/ci/ci_command.h"
#include "sim/claims_command.h"
#include "sim/claims_matrix.h"
#include "sim/consistency/check_command.h"
#include "sim/environment/environment.h"
#include "sim/explain/explain_command.h"
#include "sim/fault_options.h"
#include "sim/norn_sim_usage.h"
#include "sim/run_phases.h"
#include "sim/scenario.h"
#include "sim/scenario_library.h"
#include "sim/show_run.h"
#include "sim/store_subject.h"
#include "sim/universe_config.h"

namespace norn::sim {
namespace {

struct Arguments {
  std::string command;
  std::string scenario;
  CampaignOptions campaign;
  bool seeds_given = false;
  std::string case_path;
  std::string report;
  ShowOptions show;
  bool json = false;
};

int Refuse(const std::string& why) {
  std::cerr << "norn-sim: " << why << "\nTry: norn-sim help\n";
  return kExitUsage;
}

std::optional<std::string> ParseArguments(const std::vector<std::string>& words,
                                          Arguments* arguments) {
  RunOptions& run = arguments->campaign.run;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    std::optional<std::string> wrong_value;
    if (TakeShowOption(words, &i, &arguments->show, &wrong_value)) {
      if (wrong_value.has_value()) return wrong_value;
      continue;
    }
    if (TakeFaultOption(words, &i, &run.faults, &wrong_value) ||
        TakeRareOption(words, &i, &run.rare, &wrong_value)) {
      if (wrong_value.has_value()) return wrong_value;
      continue;
    }
    if (word == "--json") {
      arguments->json = true;
      continue;
    }
    if (word == "--random-config") {
      run.random_config = true;
      continue;
    }
    if (word == "--wipes") {
      run.wipes = true;
      continue;
    }
    if (word == "--sloppy") {
      run.sloppy = true;
      continue;
    }
    if (word == "--twice") {
      arguments->campaign.twice = true;
      continue;
    }
    if (word == "--scenario" && i + 1 < words.size()) {
      arguments->scenario = words[++i];
      continue;
    }
    if ((word == "--case" || word == "--report") && i + 1 < words.size()) {
      (word == "--case" ? arguments->case_path : arguments->report) = words[++i];
      continue;
    }
    int* number = nullptr;
    if (word == "--nodes") number = &run.nodes;
    if (word == "--jobs") number = &arguments->campaign.jobs;
    if (word == "--n") number = &run.n;
    if (word == "--r") number = &run.r;
    if (word == "--w") number = &run.w;
    const bool seeds = word == "--seed" || word == "--seeds";
    const bool known = number != nullptr || seeds || word == "--scenario" || word == "--case" ||
                       word == "--report";
    if (!known) return absl::StrCat("unknown option \"", word, "\"");
    if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
    const std::string& value = words[++i];
    if (seeds) {
      if (auto wrong = ParseSeeds(value, &arguments->campaign)) return wrong;
      arguments->seeds_given = true;
    } else if (!absl::SimpleAtoi(value, number)) {
      return absl::StrCat(word, " is \"", value, "\": it must be a number");
    }
  }
  return std::nullopt;
}

std::optional<std::string> CheckArguments(const Arguments& arguments) {
  const RunOptions& run = arguments.campaign.run;
  if (!arguments.seeds_given && arguments.scenario.empty())
    return "which seeds? Give --seeds 1..100, or --seed 7";
  if (run.nodes < 1 || run.nodes > 64) {
    return absl::StrCat("--nodes is ", run.nodes, ": it must be 1 to 64");
  }
  if (run.n < 1 || run.n > 9 || run.n > run.nodes) {
    return absl::StrCat("--n is ", run.n, ": it must be 1 to 9 and at most --nodes, ", run.nodes);
  }
  if (run.r < 1 || run.r > run.n) {
    return absl::StrCat("--r is ", run.r, ": it must be 1 to --n, ", run.n);
  }
  if (run.w < 1 || run.w > run.n) {
    return absl::StrCat("--w is ", run.w, ": it must be 1 to --n, ", run.n);
  }
  if (arguments.campaign.jobs < 1 || arguments.campaign.jobs > kJobsMax) {
    return absl::StrCat("--jobs is ", arguments.campaign.jobs, ": it must be 1 to ", kJobsMax);
  }
  return std::nullopt;
}

void PrintCounts(const char* title, const std::map<std::string, uint64_t>& counts) {
  std::cout << "\n" << title << "\n";
  for (const auto& [name, count] : counts) {
    std::cout << absl::StrFormat("  %12d  %s\n", count, name);
  }
}

void PrintSummary(const CampaignOptions& options, const CampaignResult& result, int64_t real_ms) {
  const int64_t real = std::max<int64_t>(real_ms, 1);
  const RunOptions& run = options.run;
  const BucketConfig scripted =
      run.scenario == nullptr ? BucketConfig() : run.scenario->Config().bucket();
  const bool described = run.scenario != nullptr && run.scenario->environment != nullptr;
  const bool sloppy = run.sloppy || scripted.sloppy;
  const std::string shape =
      run.random_config ? std::string("drawn configurations (3 to 9 nodes, N 1 to 5, any R and W)")
      : run.scenario != nullptr
          ? absl::StrCat(run.scenario->name, " (", run.scenario->script.description(), ")")
          : absl::StrCat(run.nodes, " nodes (N=", run.n, ", R=", run.r, ", W=", run.w, ")");
  std::cout << result.runs << " runs of " << shape << (run.sloppy ? ", sloppy: " : ": ")
            << result.valid << " valid, " << result.failures.size() << " not\n"
            << result.virtual_us / 1000000 << " s of virtual time in " << real_ms / 1000 << "."
            << real_ms % 1000 / 100 << " s (" << result.virtual_us / 1000 / real
            << " times real time), " << result.events << " events ("
            << result.events * 1000 / static_cast<uint64_t>(real) << " a second), "
            << result.messages << " messages, " << result.file_operations << " file operations\n";
  PrintCounts("What clients were told", result.outcomes);
  PrintCounts("Faults that took effect (messages harmed, crashes, failed reads, slow steps)",
              result.fault_effects);
  if (!result.rare_branches.empty())
    PrintCounts("Rare branches that were forced", result.rare_branches);
  if (described) {
    std::cout << "\nHow clients fared before, during and after the faults (latencies in virtual "
                 "time, at\nmost a sixteenth too high)\n"
              << ToText(result.phases);
  }
  std::cout
      << "\nThe slowest healing took " << result.slowest_heal_us / 1000
      << " ms until all replicas were equal, of " << result.slowest_heal_bound_us / 1000
      << " ms that it may take.\n"
      << (described && !run.scenario->environment->config.claims.empty()
              ? absl::StrCat("Judged by the scenario's claims alone: ",
                             absl::StrJoin(run.scenario->script.claim(), ", "), ".\nBy default: ")
              : "")
      << "Checked: nothing read that was never written; every acknowledged write present\n"
      << "or covered; refused writes without effect; what a delete had read stays deleted;\n"
      << "no dot used twice; Merkle trees as the records are; nothing removed but what is dead;\n"
      << "all replicas equal by value after healing, and every key read again as they hold it;\n"
      << "the siblings are those of the true causal history; a\n"
      << (sloppy ? "read covers what its sessions tied together; every hint handed over in the\n"
                   "end. Not claimed of sloppy quorums: that a read covers what was written or\n"
                   "read before.\n"
                 : "read covers what its sessions had seen, and every write completed before it "
                   "whose\nW and its R are above N; reads are monotonic where all R and W "
                   "overlap.\n")
      << (scripted.prune_entries_above == 0
              ? ""
              : "Not claimed where contexts are pruned: of all this more than that no value is\n"
                "lost; what was replaced may come back.\n")
      << (options.twice ? "Every seed ran twice, with equal hashes unless said.\n" : "");
  constexpr size_t kShown = 5;
  for (size_t i = 0; i < result.failures.size() && i < kShown; ++i) {
    const SeedFailure& failure = result.failures[i];
    std::cout << "\nseed " << failure.seed << ": " << failure.Text()
              << "\n  to see it again: " << CommandOf(options.run, failure.seed) << " --trace"
              << "\n";
  }
  if (result.failures.size() > kShown) {
    std::cout << "\n... and " << result.failures.size() - kShown << " more (--json lists all)\n";
  }
}

int Campaign(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const CampaignOptions& options = arguments.campaign;
  const uint64_t total = options.last_seed - options.first_seed + 1;
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const Clock::time_point began = Clock::now();
  const auto elapsed_ms = [began] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
  };
  int64_t drawn_ms = -1000;
  const auto progress = [&](const CampaignResult& result) {
    const int64_t now_ms = elapsed_ms();
    if (!terminal || (now_ms - drawn_ms < 100 && result.runs < total)) return;
    drawn_ms = now_ms;
    const uint64_t filled = result.runs * 30 / total;
    std::string bar(filled, '#');
    bar.append(30 - filled, '.');
    std::cerr << absl::StrFormat("\r[%s] %d of %d seeds, %d not valid, %d seeds/s, %d x real time ",
                                 bar, result.runs, total, result.failures.size(),
                                 result.runs * 1000 / static_cast<uint64_t>(now_ms + 1),
                                 result.virtual_us / 1000 / (now_ms + 1))
              << (result.runs == total ? "\n" : "") << std::flush;
  };
  const CampaignResult result = RunCampaign(NornStore(), options, progress);
  if (arguments.json) {
    std::cout << ToJson(result, elapsed_ms()) << "\n";
  } else {
    PrintSummary(options, result, elapsed_ms());
  }
  const bool scripted =
      options.run.scenario != nullptr && options.run.scenario->environment == nullptr;
  if (!arguments.report.empty() && !scripted) {
    const int written = WriteFailures(
        NornStore(), options, result,
        [&options](uint64_t seed) { return CommandOf(options.run, seed); }, arguments.report);
    if (written != kExitValid) return written;
  }
  return ExitCodeOf(result);
}

int ShowOne(const Arguments& arguments) {
  if (arguments.campaign.first_seed != arguments.campaign.last_seed) {
    return Refuse("--trace, --events and --checkpoints show one run: give --seed S");
  }
  RunOptions run = arguments.campaign.run;
  run.seed = arguments.campaign.first_seed;
  return ShowRun(NornStore(), run, arguments.show);
}

int RecordOne(const Arguments& arguments) {
  RunOptions run = arguments.campaign.run;
  run.seed = arguments.campaign.first_seed;
  if (run.scenario != nullptr && run.scenario->environment == nullptr) {
    return Refuse(absl::StrCat(run.scenario->path,
                               ": its steps are a script already: --case is for seeds, and for "
                               "scenarios that describe a run"));
  }
  if (run.seed != arguments.campaign.last_seed) {
    return Refuse("--case writes down one run: give --seed S (--report DIR takes all failures)");
  }
  return WriteCase(NornStore(), run, CommandOf(run, run.seed), arguments.case_path);
}

int PrintHashes(const Arguments& arguments) {
  const CampaignResult result =
      RunCampaign(NornStore(), arguments.campaign, [](const CampaignResult&) {});
  const bool alone = arguments.campaign.first_seed == arguments.campaign.last_seed;
  for (const auto& [seed, hash] : result.hashes) {
    std::cout << (alone ? "" : absl::StrCat(seed, " ")) << hash << "\n";
  }
  return ExitCodeOf(result) == kExitCrashed ? kExitCrashed : kExitValid;
}

int Main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    std::cerr << kUsage;
    return kExitUsage;
  }
  Arguments arguments;
  arguments.campaign.jobs = Processors();
  arguments.command = words.front();
  words.erase(words.begin());
  if (arguments.command == "help" || arguments.command == "--help") {
    std::cout << kUsage;
    return kExitValid;
  }
  if (arguments.command == "faults") {
    if (!words.empty()) return Refuse("faults takes no options");
    std::cout << FaultTable();
    return kExitValid;
  }
  if (arguments.command == "shrink") return ShrinkCommand(NornStore(), words, Processors());
  if (arguments.command == "ci") return CiCommand(words, Processors());
  if (arguments.command == "merge") return MergeCommand(words);
  if (arguments.command == "claims") return ClaimsCommand(NornsClaims(), words, Processors());
  if (arguments.command == "check") return consistency::CheckCommand(words);
  if (arguments.command == "bisect") return BisectCommand(NornStore(), words);
  if (arguments.command == "explain") return ExplainCommand(NornStore(), words);
  if (arguments.command == "replay") return ReplayCommand(NornStore(), words);
  if (arguments.command == "scenarios") return ScenariosCommand(words);
  if (arguments.command != "run" && arguments.command != "hash") {
    return Refuse(absl::StrCat("unknown command \"", arguments.command, "\""));
  }
  if (auto wrong = ParseArguments(words, &arguments)) return Refuse(*wrong);
  if (auto wrong = CheckArguments(arguments)) return Refuse(*wrong);
  if (!arguments.scenario.empty()) {
    auto scenario = FindScenario(arguments.scenario);
    if (!scenario.ok()) {
      std::cerr << "norn-sim: " << scenario.status().message() << "\n";
      return kExitUsage;
    }
    arguments.campaign.run.scenario = *std::move(scenario);
  }
  if (arguments.command == "hash") return PrintHashes(arguments);
  if (!arguments.case_path.empty()) return RecordOne(arguments);
  const bool show = arguments.show.trace || arguments.show.checkpoint_every != 0;
  return show ? ShowOne(arguments) : Campaign(arguments);
}

}  // namespace
}  // namespace norn::sim

int main(int argc, char** argv) { return norn::sim::Main(argc, argv); }
