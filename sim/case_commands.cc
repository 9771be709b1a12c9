#include "sim/case_commands.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <iostream>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "sim/case.h"
#include "sim/case_edit.h"
#include "sim/case_runner.h"
#include "sim/show_run.h"
#include "sim/shrinker.h"

namespace norn::sim {

namespace {

int Refuse(const Subject& subject, absl::string_view why) {
  std::cerr << subject.program() << ": " << why << "\n";
  return kExitUsage;
}

void PrintOutcome(const CaseRun& run) {
  if (!run.config.empty()) std::cout << run.config << "\n";
  std::cout << run.verdict << (run.property.empty() ? "" : ": ") << run.property << "\n";
  if (!run.witness.empty()) std::cout << run.witness << "\n";
  if (!run.hash.empty()) std::cout << "hash " << run.hash << "\n";
}

// What is kept of a run: it can be replayed, and says where it is from.
v1::Case WithOrigin(const CaseRun& run, const std::string& origin) {
  v1::Case written = run.recorded;
  written.set_origin(origin);
  return written;
}

}  // namespace

int WriteCase(const Subject& subject, const RunOptions& run, const std::string& origin,
              const std::string& path) {
  const CaseRun done = CaseRunner(subject, CaseRunnerOptions{}).Run(run);
  if (absl::Status saved = SaveCase(WithOrigin(done, origin), path); !saved.ok()) {
    return Refuse(subject, saved.message());
  }
  PrintOutcome(done);
  std::cout << "written to " << path << ": " << done.recorded.fault_size() << " faults, "
            << done.recorded.operation_size() << " operations\n";
  return done.exit_code;
}

int WriteFailures(const Subject& subject, const CampaignOptions& options,
                  const CampaignResult& result,
                  const std::function<std::string(uint64_t seed)>& origin, const std::string& dir) {
  if (mkdir(dir.c_str(), 0777) != 0 && errno != EEXIST) {
    return Refuse(subject, absl::StrCat(dir, ": this folder of --report cannot be made"));
  }
  CaseRunner runner(subject, CaseRunnerOptions{});
  for (const SeedFailure& failure : result.failures) {
    RunOptions run = options.run;
    run.seed = failure.seed;
    const std::string path = absl::StrCat(dir, "/seed-", failure.seed, ".textproto");
    const v1::Case written = WithOrigin(runner.Run(run), origin(failure.seed));
    if (absl::Status saved = SaveCase(written, path); !saved.ok())
      return Refuse(subject, saved.message());
    std::cerr << subject.program() << ": written: " << path << "\n";
  }
  return kExitValid;
}

int ReplayCommand(const Subject& subject, const std::vector<std::string>& words) {
  std::string path;
  ShowOptions show;
  std::optional<std::string> wrong;
  for (size_t i = 0; i < words.size(); ++i) {
    if (TakeShowOption(words, &i, &show, &wrong)) {
      if (wrong.has_value()) return Refuse(subject, *wrong);
    } else if (absl::StartsWith(words[i], "-") || !path.empty()) {
      return Refuse(subject, absl::StrCat("replay does not take \"", words[i],
                                          "\": one case, --trace, "
                                          "--events A..B, --checkpoints K"));
    } else {
      path = words[i];
    }
  }
  if (path.empty())
    return Refuse(subject,
                  absl::StrCat("replay which case? Write: ", subject.program(), " replay FILE"));
  const absl::StatusOr<v1::Case> written = LoadCase(subject, path);
  if (!written.ok()) return Refuse(subject, written.status().message());
  const auto made = MakeCase(subject, *written);
  if (!made.ok()) return Refuse(subject, absl::StrCat(path, ": ", made.status().message()));
  RunOptions run;
  run.replay = *made;
  if (show.trace || show.checkpoint_every != 0) return ShowRun(subject, run, show);
  const CaseRun done = CaseRunner(subject, CaseRunnerOptions{}).Run(run);
  PrintOutcome(done);
  const v1::CaseOutcome& then = written->outcome();
  if (then.has_hash() && then.hash() != done.hash) {
    std::cout << "written down was " << then.verdict() << (then.property().empty() ? "" : ": ")
              << then.property() << ", hash " << then.hash()
              << ": the code or the case has changed\n";
  } else if (then.has_hash()) {
    std::cout << "as it was written down\n";
  }
  return done.exit_code;
}

namespace {

struct ShrinkArguments {
  std::string from;
  std::string to;
  absl::Duration budget = absl::InfiniteDuration();
  absl::Duration limit = absl::Seconds(60);
  int jobs = 1;
};

// What is wrong, or nothing.
std::optional<std::string> ParseShrink(const Subject& subject,
                                       const std::vector<std::string>& words,
                                       ShrinkArguments* arguments) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!absl::StartsWith(word, "-") && arguments->from.empty()) {
      arguments->from = word;
      continue;
    }
    absl::Duration* time = nullptr;
    if (word == "--budget") time = &arguments->budget;
    if (word == "--limit") time = &arguments->limit;
    if (time == nullptr && word != "-o" && word != "--jobs") {
      return absl::StrCat("shrink does not take \"", word, "\"");
    }
    if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
    const std::string& value = words[++i];
    if (word == "-o") {
      arguments->to = value;
    } else if (time != nullptr) {
      if (!absl::ParseDuration(value, time) || *time <= absl::ZeroDuration()) {
        return absl::StrCat(word, " is \"", value, "\": write 60s, or 10m");
      }
    } else if (!absl::SimpleAtoi(value, &arguments->jobs) || arguments->jobs < 1 ||
               arguments->jobs > kJobsMax) {
      return absl::StrCat("--jobs is \"", value, "\": it must be 1 to ", kJobsMax);
    }
  }
  if (arguments->from.empty() || arguments->to.empty()) {
    return absl::StrCat("shrink what, to where? Write: ", subject.program(), " shrink FILE -o MIN");
  }
  return std::nullopt;
}

std::string SizeOf(const v1::Case& written) {
  return absl::StrCat(written.fault_size(), " faults, ", written.message_size(),
                      " harmed messages, ", ClientsOf(written).count, " clients, ",
                      written.operation_size(), " operations on ", KeysOf(written).count, " keys, ",
                      written.node_size(), " nodes, ", written.knob_size(), " settings, ",
                      written.until_us() / 1000, " ms");
}

}  // namespace

int ShrinkCommand(const Subject& subject, const std::vector<std::string>& words, int processors) {
  using Clock = std::chrono::steady_clock;
  ShrinkArguments arguments;
  arguments.jobs = processors;
  if (auto wrong = ParseShrink(subject, words, &arguments)) return Refuse(subject, *wrong);
  const absl::StatusOr<v1::Case> written = LoadCase(subject, arguments.from);
  if (!written.ok()) return Refuse(subject, written.status().message());
  const auto made = MakeCase(subject, *written);
  if (!made.ok())
    return Refuse(subject, absl::StrCat(arguments.from, ": ", made.status().message()));
  CaseRunnerOptions running;
  running.jobs = arguments.jobs;
  running.limit_ms = absl::ToInt64Milliseconds(arguments.limit);
  CaseRunner runner(subject, running);
  RunOptions run;
  run.replay = *made;
  const CaseRun first = runner.Run(run);
  PrintOutcome(first);
  const bool fails = first.exit_code == kExitViolated || first.exit_code == kExitNoProgress ||
                     (first.exit_code == kExitCrashed && !first.stopped);
  if (!fails) {
    return Refuse(subject,
                  absl::StrCat(arguments.from, ": nothing to shrink: the case is ", first.verdict));
  }
  const Clock::time_point began = Clock::now();
  const auto elapsed = [began] { return absl::FromChrono(Clock::now() - began); };
  const bool terminal = isatty(STDERR_FILENO) == 1;
  ShrinkOptions options;
  options.enough = [&] { return elapsed() >= arguments.budget; };
  options.progress = [&](const ShrinkProgress& progress) {
    if (!terminal) return;
    std::cerr << absl::StrFormat("\r%5.0f s, %5d runs: %4d faults, %4d operations; %-24s",
                                 absl::ToDoubleSeconds(elapsed()), progress.runs, progress.faults,
                                 progress.operations, progress.pass)
              << std::flush;
  };
  ShrinkResult result = Shrink(*written, first, options, &runner);
  if (terminal) std::cerr << "\n";
  if (absl::Status saved = SaveCase(result.smallest, arguments.to); !saved.ok()) {
    return Refuse(subject, saved.message());
  }
  std::cout << "\nbefore: " << SizeOf(*written) << "\nafter:  " << SizeOf(result.smallest) << "\n"
            << runner.runs() << " runs"
            << (result.finished ? "" : "; the budget is used up: more may be possible")
            << "\nwritten to " << arguments.to << "\n\n";
  PrintOutcome(result.run);
  return kExitValid;
}

}  // namespace norn::sim
