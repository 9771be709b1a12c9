// The command line of a protocol's own program (ProtocolMain in sim/protocol.h).

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/bisect.h"
#include "sim/campaign.h"
#include "sim/campaign_json.h"
#include "sim/case_commands.h"
#include "sim/explain/explain_command.h"
#include "sim/fault_options.h"
#include "sim/protocol.h"
#include "sim/protocol_case.h"
#include "sim/protocol_run.h"
#include "sim/show_run.h"

namespace norn::sim {

namespace {

constexpr int kNodesMax = 64;

constexpr char kUsage[] = R"(
  $ run --seeds A..B [--jobs J] [--twice] [--json] [--report DIR]
      runs a campaign, and checks every run; --twice runs every seed twice and compares the
      trace hashes; --report writes down each run that is not valid: DIR/seed-S.textproto
  $ run --seed S --trace
      prints what happens, line by line
  $ run --seed S --case FILE
      writes a run down with every choice
  $ replay FILE [--trace]
      performs it again
  $ shrink FILE -o MIN [--budget 60s]
      cuts a failing one down, as long as it fails in the same way
  $ explain FILE [--html PAGE] [--shiviz LOG] [--json]
      says what went wrong, and which faults it needs; draws it as a page
  $ bisect --seed S --with PROGRAM | CASE OTHER_CASE
      finds the first event at which two runs part

Options of run: --nodes N; --set NAME=VALUE for each of the settings below; --faults LIST and
--no-faults LIST, of kinds or classes of faults (crash,loss,clock).
With --trace: --events A..B shows only these; instead of it, --checkpoints K prints hashes.
Exit codes: 0 valid, 1 a property was violated, 2 wrong usage, 3 no progress after healing,
4 inconclusive, 5 a run crashed or was not deterministic.
)";

struct Arguments {
  CampaignOptions campaign;
  bool seeds_given = false;
  std::string case_path;
  std::string report;
  ShowOptions show;
  bool json = false;
};

class Program {
 public:
  Program(const Protocol& protocol, std::string name)
      : protocol_(protocol), subject_(protocol, std::move(name)) {}

  int Run(std::vector<std::string> words);

 private:
  int Refuse(const std::string& why) const {
    std::cerr << subject_.program() << ": " << why << "\nTry: " << subject_.program() << " help\n";
    return kExitUsage;
  }
  int Help() const;
  // What is wrong, or nothing.
  std::optional<std::string> Parse(const std::vector<std::string>& words, Arguments* to) const;
  std::optional<std::string> ParseSetting(const std::string& text, RunOptions* run) const;
  std::string Reproduce(const RunOptions& run, uint64_t seed) const;
  int Campaign(const Arguments& arguments) const;
  void PrintSummary(const Arguments& arguments, const CampaignResult& result,
                    int64_t real_ms) const;

  const Protocol& protocol_;
  const ProtocolSubject subject_;
};

int Program::Help() const {
  std::cout << subject_.program() << ": " << protocol_.Name()
            << " in virtual time, from one seed, with faults\n";
  for (const char* at = kUsage; *at != '\0'; ++at) {
    if (*at == '$') {
      std::cout << subject_.program();
    } else {
      std::cout << *at;
    }
  }
  std::cout << "\nSettings of " << protocol_.Name() << ":\n";
  const std::vector<ProtocolSetting> settings = protocol_.Settings();
  for (const ProtocolSetting& setting : settings) {
    std::cout << absl::StrFormat("  %-20s %s (%d to %d; usually %d)\n", setting.name,
                                 setting.meaning, setting.least, setting.most, setting.usual);
  }
  if (settings.empty()) std::cout << "  (none)\n";
  return kExitValid;
}

std::optional<std::string> Program::ParseSetting(const std::string& text, RunOptions* run) const {
  const size_t equals = text.find('=');
  int64_t value = 0;
  if (equals == std::string::npos || !absl::SimpleAtoi(text.substr(equals + 1), &value)) {
    return absl::StrCat("--set is \"", text, "\": write NAME=NUMBER");
  }
  const absl::Status set = SetSetting(protocol_, text.substr(0, equals), value, &run->settings);
  if (!set.ok()) return std::string(set.message());
  return std::nullopt;
}

std::optional<std::string> Program::Parse(const std::vector<std::string>& words,
                                          Arguments* to) const {
  RunOptions& run = to->campaign.run;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    std::optional<std::string> wrong;
    if (TakeShowOption(words, &i, &to->show, &wrong)) {
      if (wrong.has_value()) return wrong;
      continue;
    }
    if (TakeFaultOption(words, &i, &run.faults, &wrong)) {
      if (wrong.has_value()) return wrong;
      continue;
    }
    if (word == "--json" || word == "--twice") {
      (word == "--json" ? to->json : to->campaign.twice) = true;
      continue;
    }
    const bool seeds = word == "--seed" || word == "--seeds";
    const bool number = word == "--nodes" || word == "--jobs";
    const bool path = word == "--case" || word == "--report";
    if (!seeds && !number && !path && word != "--set") {
      return absl::StrCat("unknown option \"", word, "\"");
    }
    if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
    const std::string& value = words[++i];
    if (seeds) {
      wrong = ParseSeeds(value, &to->campaign);
      to->seeds_given = true;
    } else if (path) {
      (word == "--case" ? to->case_path : to->report) = value;
    } else if (word == "--set") {
      wrong = ParseSetting(value, &run);
    } else if (!absl::SimpleAtoi(value, word == "--nodes" ? &run.nodes : &to->campaign.jobs)) {
      wrong = absl::StrCat(word, " is \"", value, "\": it must be a number");
    }
    if (wrong.has_value()) return wrong;
  }
  if (!to->seeds_given) return std::string("which seeds? Give --seeds 1..100, or --seed 7");
  if (run.nodes < 1 || run.nodes > kNodesMax) {
    return absl::StrCat("--nodes is ", run.nodes, ": it must be 1 to ", kNodesMax);
  }
  if (to->campaign.jobs < 1 || to->campaign.jobs > kJobsMax) {
    return absl::StrCat("--jobs is ", to->campaign.jobs, ": it must be 1 to ", kJobsMax);
  }
  const bool one = !to->case_path.empty() || to->show.trace || to->show.checkpoint_every != 0;
  if (one && to->campaign.first_seed != to->campaign.last_seed) {
    return std::string("--trace, --checkpoints and --case are of one run: give --seed S");
  }
  return std::nullopt;
}

std::string Program::Reproduce(const RunOptions& run, uint64_t seed) const {
  std::string command = absl::StrCat(subject_.program(), " run --seed ", seed);
  if (run.nodes != protocol_.Nodes()) absl::StrAppend(&command, " --nodes ", run.nodes);
  for (const auto& [name, value] : run.settings) {
    absl::StrAppend(&command, " --set ", name, "=", value);
  }
  return absl::StrCat(command, FaultOptionsOf(run.faults));
}

void Program::PrintSummary(const Arguments& arguments, const CampaignResult& result,
                           int64_t real_ms) const {
  constexpr size_t kShown = 5;
  std::cout << result.runs << " runs of " << protocol_.Name() << " on "
            << arguments.campaign.run.nodes << " nodes: " << result.valid << " valid, "
            << result.failures.size() << " not\n"
            << result.virtual_us / 1'000'000 << " s of virtual time in "
            << absl::StrFormat("%.1f", static_cast<double>(real_ms) / 1000) << " s, "
            << result.events << " events, " << result.messages << " messages, "
            << result.file_operations << " file operations\n";
  const auto print = [](const char* title, const std::map<std::string, uint64_t>& counts) {
    if (counts.empty()) return;
    std::cout << "\n" << title << "\n";
    for (const auto& [name, count] : counts) {
      std::cout << absl::StrFormat("  %12d  %s\n", count, name);
    }
  };
  print("What clients were told", result.outcomes);
  print("Faults that took effect (messages harmed, crashes, slow steps)", result.fault_effects);
  for (size_t i = 0; i < result.failures.size() && i < kShown; ++i) {
    const SeedFailure& failure = result.failures[i];
    std::cout << "\nseed " << failure.seed << ": " << failure.Text()
              << "\n  to see it again: " << Reproduce(arguments.campaign.run, failure.seed)
              << " --trace\n";
  }
  if (result.failures.size() > kShown) {
    std::cout << "\n... and " << result.failures.size() - kShown << " more (--json lists all)\n";
  }
}

int Program::Campaign(const Arguments& arguments) const {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point began = Clock::now();
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const uint64_t total = arguments.campaign.last_seed - arguments.campaign.first_seed + 1;
  const CampaignResult result =
      RunCampaign(subject_, arguments.campaign, [&](const CampaignResult& so_far) {
        if (!terminal) return;
        std::cerr << absl::StrFormat("\r%d of %d seeds, %d not valid ", so_far.runs, total,
                                     so_far.failures.size())
                  << (so_far.runs == total ? "\n" : "") << std::flush;
      });
  const int64_t real_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
  if (arguments.json) {
    std::cout << ToJson(result, real_ms) << "\n";
  } else {
    PrintSummary(arguments, result, real_ms);
  }
  if (!arguments.report.empty()) {
    const int written = WriteFailures(
        subject_, arguments.campaign, result,
        [&](uint64_t seed) { return Reproduce(arguments.campaign.run, seed); }, arguments.report);
    if (written != kExitValid) return written;
  }
  return ExitCodeOf(result);
}

int Program::Run(std::vector<std::string> words) {
  if (words.empty()) return Refuse("what is to be done?");
  const std::string command = words.front();
  words.erase(words.begin());
  if (command == "help" || command == "--help") return Help();
  if (command == "replay") return ReplayCommand(subject_, words);
  if (command == "shrink") return ShrinkCommand(subject_, words, Processors());
  if (command == "explain") return ExplainCommand(subject_, words);
  if (command == "bisect") return BisectCommand(subject_, words);
  if (command != "run") return Refuse(absl::StrCat("unknown command \"", command, "\""));
  Arguments arguments;
  arguments.campaign.jobs = Processors();
  arguments.campaign.run.nodes = protocol_.Nodes();
  if (auto wrong = Parse(words, &arguments)) return Refuse(*wrong);
  RunOptions run = arguments.campaign.run;
  run.seed = arguments.campaign.first_seed;
  if (!arguments.case_path.empty()) {
    return WriteCase(subject_, run, Reproduce(run, run.seed), arguments.case_path);
  }
  const bool show = arguments.show.trace || arguments.show.checkpoint_every != 0;
  return show ? ShowRun(subject_, run, arguments.show) : Campaign(arguments);
}

}  // namespace

int ProtocolMain(int argc, char** argv, const Protocol& protocol) {
  std::string name = argc > 0 ? argv[0] : protocol.Name();
  name.erase(0, name.rfind('/') + 1);
  return Program(protocol, std::move(name)).Run(std::vector<std::string>(argv + 1, argv + argc));
}

}  // namespace norn::sim
