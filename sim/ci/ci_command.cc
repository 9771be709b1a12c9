#include "sim/ci/ci_command.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sim/campaign.h"
#include "sim/ci/ci_run.h"
#include "sim/ci/report_folder.h"
#include "sim/store_subject.h"
#include "sim/universe.h"

namespace norn::sim {

namespace {

constexpr char kScenarios[] = "tests/scenarios";
constexpr size_t kRevisionMax = 200;
// What CI systems call the revision: ours, GitHub, GitLab, Jenkins, Buildkite, CircleCI, Azure.
constexpr const char* kRevisionVariables[] = {
    "NORN_REVISION",    "GITHUB_SHA",  "CI_COMMIT_SHA",      "GIT_COMMIT",
    "BUILDKITE_COMMIT", "CIRCLE_SHA1", "BUILD_SOURCEVERSION"};

volatile sig_atomic_t signalled = 0;

void OnSignal(int) { signalled = 1; }

int Refuse(absl::string_view why) {
  std::cerr << "norn-sim: " << why << "\n";
  return kExitUsage;
}

struct Arguments {
  CiOptions options;
  absl::Duration budget = absl::Minutes(10);
  absl::Duration limit = absl::ZeroDuration();  // zero: the usual
  bool dry_run = false;
};

std::optional<std::string> ParseShard(const std::string& value, SeedPlan* plan) {
  const size_t slash = value.find('/');
  if (slash == std::string::npos || !absl::SimpleAtoi(value.substr(0, slash), &plan->shard) ||
      !absl::SimpleAtoi(value.substr(slash + 1), &plan->shards) || plan->shard < 1 ||
      plan->shards > kShardsMax || plan->shard > plan->shards) {
    return absl::StrCat("--shard is \"", value,
                        "\": write 1/4 to 4/4, for the four of four shards");
  }
  return std::nullopt;
}

std::optional<std::string> ParseTime(const std::string& word, const std::string& value,
                                     absl::Duration* time) {
  if (absl::ParseDuration(value, time) && *time >= absl::Milliseconds(1) &&
      *time <= absl::Hours(24 * 365)) {
    return std::nullopt;
  }
  return absl::StrCat(word, " is \"", value, "\": write 60s, 10m or 8h");
}

// What is wrong, or nothing.
std::optional<std::string> Parse(const std::vector<std::string>& words, Arguments* arguments) {
  CiOptions& options = arguments->options;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--dry-run") {
      arguments->dry_run = true;
      continue;
    }
    const bool known = word == "--budget" || word == "--limit" || word == "--shard" ||
                       word == "--jobs" || word == "--revision" || word == "--corpus" ||
                       word == "--junit" || word == "--report";
    if (!known) return absl::StrCat("ci does not take \"", word, "\"");
    if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
    const std::string& value = words[++i];
    std::optional<std::string> wrong;
    if (word == "--budget") wrong = ParseTime(word, value, &arguments->budget);
    if (word == "--limit") wrong = ParseTime(word, value, &arguments->limit);
    if (word == "--shard") wrong = ParseShard(value, &options.plan);
    if (word == "--revision") options.plan.revision = value;
    if (word == "--corpus") options.corpus.push_back(value);
    if (word == "--junit") options.junit = value;
    if (word == "--report") options.report = value;
    if (word == "--jobs" &&
        (!absl::SimpleAtoi(value, &options.jobs) || options.jobs < 1 || options.jobs > kJobsMax)) {
      wrong = absl::StrCat("--jobs is \"", value, "\": it must be 1 to ", kJobsMax);
    }
    if (wrong.has_value()) return wrong;
  }
  return std::nullopt;
}

// What was not said follows from the rest, or from where it runs.
std::optional<std::string> Complete(Arguments* arguments) {
  CiOptions& options = arguments->options;
  for (const char* name : kRevisionVariables) {
    const char* value = std::getenv(name);
    if (options.plan.revision.empty() && value != nullptr) options.plan.revision = value;
  }
  if (options.plan.revision.empty()) {
    return absl::StrCat(
        "which revision is this? Its seeds follow from it: give --revision \"$(git rev-parse "
        "HEAD)\", or set one of ",
        kRevisionVariables[0], ", ", kRevisionVariables[1], ", ", kRevisionVariables[2]);
  }
  if (options.plan.revision.size() > kRevisionMax) {
    return absl::StrCat("--revision has ", options.plan.revision.size(), " bytes: it may have ",
                        kRevisionMax);
  }
  for (const char c : options.plan.revision) {
    if (c < 0x20 || c > 0x7e) return std::string("--revision must be printable ASCII");
  }
  if (options.report.empty() && !arguments->dry_run) {
    return std::string("where to? Give --report DIR: a new folder, or an empty one");
  }
  struct stat unused;
  if (options.corpus.empty() && stat(kScenarios, &unused) == 0) options.corpus = {kScenarios};
  options.budget_ms = absl::ToInt64Milliseconds(arguments->budget);
  if (arguments->limit == absl::ZeroDuration()) {
    // A short campaign would not see a run hang; a slow machine must not make one seem to.
    arguments->limit = std::clamp(arguments->budget / 4, absl::Seconds(10), absl::Seconds(60));
  }
  options.limit_ms = std::max<int64_t>(absl::ToInt64Milliseconds(arguments->limit), 1);
  return std::nullopt;
}

void PrintPlan(const CiOptions& options, const std::vector<CorpusFile>& corpus) {
  const SeedPlan& plan = options.plan;
  std::cout << "revision " << plan.revision << ", shard " << plan.shard << " of " << plan.shards
            << "\n"
            << absl::FormatDuration(absl::Milliseconds(options.budget_ms)) << " in " << options.jobs
            << (options.jobs == 1 ? " process" : " processes") << "; a run may take "
            << absl::FormatDuration(absl::Milliseconds(options.limit_ms)) << "\n";
  const std::vector<CorpusFile> own = OwnFiles(corpus, plan);
  std::cout << "\nfirst, " << own.size() << " of " << corpus.size() << " files of the corpus:\n";
  for (const CorpusFile& file : own) std::cout << "  " << file.Command() << "\n";
  std::cout << "\nthen the seeds, until the budget is spent:\n";
  constexpr uint64_t kShown = 8;
  for (uint64_t counter = 0; counter < kShown && counter <= plan.CounterMax(); ++counter) {
    const uint64_t seed = plan.SeedOf(counter);
    std::cout << "  " << CommandOf(RunOfSeed(seed), seed) << "\n";
  }
  std::cout << "  ...\n";
}

void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  // Waiting ends with a signal.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

int CiCommand(const std::vector<std::string>& words, int processors) {
  Arguments arguments;
  CiOptions& options = arguments.options;
  options.jobs = processors;
  if (auto wrong = Parse(words, &arguments)) return Refuse(*wrong);
  if (auto wrong = Complete(&arguments)) return Refuse(*wrong);
  const absl::StatusOr<std::vector<CorpusFile>> corpus = LoadCorpus(options.corpus);
  if (!corpus.ok()) return Refuse(corpus.status().message());
  if (arguments.dry_run) {
    PrintPlan(options, *corpus);
    return kExitValid;
  }
  if (absl::Status made = MakeReportFolder(options.report); !made.ok()) {
    return Refuse(made.message());
  }
  // Found out now, and not after the budget.
  if (!options.junit.empty()) {
    if (absl::Status wrote = WriteReportFile(options.junit, ""); !wrote.ok()) {
      return Refuse(wrote.message());
    }
  }
  CatchSignals();
  const absl::StatusOr<CiReport> report =
      RunCi(options, *corpus, RunOfSeed, [] { return signalled != 0; });
  if (!report.ok()) return Refuse(report.status().message());
  if (absl::Status wrote = WriteReport(*report, options.report, options.junit); !wrote.ok()) {
    return Refuse(wrote.message());
  }
  std::cout << ToText(*report, options.report);
  return report->ExitCode();
}

int MergeCommand(const std::vector<std::string>& words) {
  std::vector<std::string> from;
  std::string to;
  std::string junit;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word != "-o" && word != "--junit") {
      if (absl::StartsWith(word, "-")) return Refuse(absl::StrCat("merge does not take ", word));
      from.push_back(word);
      continue;
    }
    if (i + 1 == words.size()) return Refuse(absl::StrCat(word, " needs a value"));
    (word == "-o" ? to : junit) = words[++i];
  }
  if (from.empty() || to.empty()) {
    return Refuse("merge what, to where? Write: norn-sim merge REPORT_DIR... -o DIR");
  }
  std::vector<CiReport> reports;
  for (const std::string& dir : from) {
    auto report = ReadReport(dir);
    if (!report.ok()) return Refuse(report.status().message());
    reports.push_back(*std::move(report));
  }
  std::vector<size_t> smallest;
  const absl::StatusOr<CiReport> merged = MergeReports(reports, from, &smallest);
  if (!merged.ok()) return Refuse(merged.status().message());
  if (absl::Status made = MakeReportFolder(to); !made.ok()) return Refuse(made.message());
  for (size_t i = 0; i < merged->failures.size(); ++i) {
    const CiFailure& failure = merged->failures[i];
    if (failure.files.empty()) continue;
    const std::string target = absl::StrCat(to, "/", failure.folder);
    if (absl::Status made = MakeFolder(target); !made.ok()) return Refuse(made.message());
    for (const std::string& file : failure.files) {
      absl::Status copied =
          CopyReportFile(absl::StrCat(from[smallest[i]], "/", failure.folder, "/", file),
                         absl::StrCat(target, "/", file));
      if (!copied.ok()) return Refuse(copied.message());
    }
  }
  if (absl::Status wrote = WriteReport(*merged, to, junit); !wrote.ok()) {
    return Refuse(wrote.message());
  }
  std::cout << ToText(*merged, to);
  return merged->ExitCode();
}

}  // namespace norn::sim
