#include "sim/ci/findings.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/case.h"
#include "sim/ci/markup.h"
#include "sim/ci/report_folder.h"
#include "sim/explain/explain_case.h"
#include "sim/explain/explanation.h"
#include "sim/explain/run_page.h"
#include "sim/run_process.h"
#include "sim/shrinker.h"
#include "sim/store_subject.h"

namespace norn::sim {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// While a case is cut down, a run that takes longer is no candidate.
constexpr int64_t kCandidateMs = 10'000;

// What is written down of one failure.
class WriteUpOfOne {
 public:
  WriteUpOfOne(const WriteUpOptions& options, milliseconds share, CiFailure* failure)
      : options_(options),
        until_(Clock::now() + share),
        shrink_until_(Clock::now() + share * 3 / 4),
        failure_(*failure),
        folder_(absl::StrCat(options.dir, "/", failure->folder)) {}

  absl::Status Write(const FailedRun& how) {
    text_ = absl::StrCat(failure_.verdict, ": ", failure_.property, "\n", failure_.witness,
                         failure_.witness.empty() ? "" : "\n", failure_.config, "\n\nRevision ",
                         options_.revision, "; to see it again:\n  ", failure_.command, "\n");
    if (absl::Status made = MakeFolder(folder_); !made.ok()) return made;
    if (how.run.scenario == nullptr && options_.left() > -options_.grace) {
      if (absl::Status done = WriteCases(how); !done.ok()) return done;
    } else if (how.run.scenario == nullptr) {
      absl::StrAppend(&text_, "There was no time to write the case down.\n");
    }
    return Add("why.txt", text_);
  }

 private:
  bool Over(Clock::time_point until) const {
    return Clock::now() >= until || options_.left() <= milliseconds(0);
  }

  // A run may hang, or almost: it must not hold up the rest.
  CaseRunner Runner(int jobs) const {
    const int64_t left = std::max((options_.left() + options_.grace).count(), int64_t{1});
    CaseRunnerOptions running;
    running.jobs = jobs;
    running.limit_ms = std::min({options_.limit_ms, kCandidateMs, left});
    return CaseRunner(NornStore(), running);
  }

  absl::Status Add(const std::string& name, const std::string& text) {
    failure_.files.push_back(name);
    return WriteReportFile(absl::StrCat(folder_, "/", name), text);
  }

  void Measure(const v1::Case& least) {
    failure_.least_bytes = FormatCase(least).size();
    failure_.least_faults = static_cast<uint64_t>(least.fault_size() + least.message_size());
    failure_.least_operations = static_cast<uint64_t>(least.operation_size());
  }

  absl::Status WriteCases(const FailedRun& how) {
    const CaseRun first = Runner(1).Run(how.run);
    v1::Case written = how.written.has_value() ? *how.written : first.recorded;
    *written.mutable_outcome() = first.recorded.outcome();
    if (!how.written.has_value()) {
      written.set_origin(absl::StrCat(failure_.command, ", revision ", options_.revision));
    }
    if (absl::Status wrote = Add("case.textproto", FormatCase(written)); !wrote.ok()) return wrote;
    Measure(written);
    const auto made = MakeCase(NornStore(), written);
    if (!made.ok()) {  // the run ended before it had told what it is made of
      absl::StrAppend(&text_, "The case cannot be replayed: ", made.status().message(), "\n");
      return absl::OkStatus();
    }
    if (Visible(first.Fingerprint()) != failure_.fingerprint) {
      absl::StrAppend(&text_, "Performed again, it came to ", first.verdict, ": ", first.property,
                      "\n");
      return absl::OkStatus();
    }
    if (first.stopped) return absl::OkStatus();  // each repetition would take as long
    const bool fails = first.exit_code != kExitUnknown;
    if (!fails || Over(shrink_until_)) return ExplainThis(written, *made);
    CaseRunner runner = Runner(options_.jobs);
    ShrinkOptions shrinking;
    shrinking.enough = [this] { return Over(shrink_until_); };
    const ShrinkResult result = Shrink(written, first, shrinking, &runner);
    if (absl::Status wrote = Add("least.textproto", FormatCase(result.smallest)); !wrote.ok()) {
      return wrote;
    }
    Measure(result.smallest);
    absl::StrAppend(&text_, "The case cut down to ", failure_.least_faults, " faults and ",
                    failure_.least_operations, " operations",
                    result.finished ? "" : " (there was no time for more)",
                    ":\n  norn-sim replay least.textproto\n");
    const auto least = MakeCase(NornStore(), result.smallest);
    if (!least.ok()) return least.status();
    return ExplainThis(result.smallest, *least);
  }

  absl::Status ExplainThis(const v1::Case& written, const std::shared_ptr<const Case>& made) {
    if (options_.left() <= -options_.grace) return absl::OkStatus();
    CaseRunner runner = Runner(1);
    const ExplainedCase found = ExplainCase(
        NornStore(), written, made, [this] { return Over(until_); }, &runner);
    absl::StrAppend(&text_, "\n", ToText(found.explanation));
    return Add("why.html", RunPage(found.timeline, found.explanation));
  }

  const WriteUpOptions& options_;
  const Clock::time_point until_;
  const Clock::time_point shrink_until_;
  CiFailure& failure_;
  const std::string folder_;
  std::string text_;
};

}  // namespace

void Findings::Add(const SeedFailure& seen, FailedRun how, CiGroup* group) {
  const std::string fingerprint = Visible(FingerprintOf(seen.verdict, seen.property));
  ++group->failures[fingerprint];
  const auto [place, fresh] = found_.try_emplace(fingerprint);
  CiFailure& failure = place->second.failure;
  ++failure.runs;
  if (!fresh) {
    if (failure.others.size() < kOthersMax) failure.others.push_back(how.command);
    return;
  }
  failure.fingerprint = fingerprint;
  failure.exit_code = seen.exit_code;
  failure.verdict = Visible(seen.verdict);
  failure.property = Visible(seen.property);
  failure.witness = Visible(seen.witness);
  failure.config = Visible(seen.config);
  failure.command = how.command;
  failure.folder = FolderOf(fingerprint);
  place->second.how = std::move(how);
}

absl::Status Findings::WriteUp(const WriteUpOptions& options, CiReport* report) {
  std::vector<Finding*> worst_first;
  for (auto& [fingerprint, finding] : found_) worst_first.push_back(&finding);
  std::stable_sort(worst_first.begin(), worst_first.end(), [](const Finding* a, const Finding* b) {
    return a->failure.exit_code != b->failure.exit_code &&
           WorstOf(a->failure.exit_code, b->failure.exit_code) == a->failure.exit_code;
  });
  int64_t waiting = 0;  // of those that take time
  for (const Finding* finding : worst_first) waiting += finding->how.run.scenario ? 0 : 1;
  for (size_t i = 0; i < worst_first.size(); ++i) {
    CiFailure& failure = worst_first[i]->failure;
    options.say(absl::StrCat("writing down ", i + 1, " of ", worst_first.size(), ": ",
                             failure.fingerprint));
    WriteUpOfOne write_up(options, options.left() / std::max<int64_t>(waiting, 1), &failure);
    if (absl::Status done = write_up.Write(worst_first[i]->how); !done.ok()) return done;
    waiting -= worst_first[i]->how.run.scenario ? 0 : 1;
    report->failures.push_back(failure);
  }
  SortFailures(report);
  return absl::OkStatus();
}

}  // namespace norn::sim
