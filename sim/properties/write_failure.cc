#include "sim/properties/write_failure.h"

#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/case.h"
#include "sim/case_edit.h"
#include "sim/explain/explanation.h"
#include "sim/explain/needed.h"
#include "sim/explain/run_page.h"
#include "sim/explain/timeline.h"
#include "sim/run_result.h"
#include "sim/store_subject.h"

namespace norn::sim {

namespace {

// Repeats the run without each fault.
void FindCauses(const Outcome& smallest, const FailureToWrite& failure, const Timeline& timeline,
                Explanation* explanation) {
  const PartsOfCase faults = FaultsOf(smallest.tried);
  for (const v1::CaseFault& fault : smallest.tried.fault()) {
    CausePart cause;
    cause.fault = fault.id();
    for (const Band& band : timeline.bands) {
      if (band.id == fault.id()) cause.text = band.text;
    }
    explanation->causes.push_back(std::move(cause));
  }
  PerformOptions options;
  options.limit_ms = failure.limit_ms;
  const auto without = [&](const std::vector<size_t>& gone) -> std::string {
    const Outcome less = Perform(faults.without(smallest.tried, gone), options);
    return failure.same(less) ? "" : absl::StrCat("it holds, and the run is ", less.run.verdict);
  };
  const NeededParts needed = FindNeeded(faults.count, without, [] { return false; });
  for (size_t i = 0; i < needed.parts.size(); ++i) {
    explanation->causes[i].need = needed.parts[i];
  }
  explanation->enough = needed.enough;
}

}  // namespace

std::string WriteFailure(const Outcome& smallest, const FailureToWrite& failure) {
  const std::string stem = absl::StrCat(failure.folder, "/", failure.name);
  const std::string file = stem + ".textproto";
  v1::Case written = smallest.tried;
  written.set_origin(absl::StrCat("a counterexample to: ", failure.what));
  *written.mutable_outcome() = smallest.run.recorded.outcome();
  if (absl::Status saved = SaveCase(written, file); !saved.ok()) {
    return absl::StrCat(absl::string_view(saved.message()), "\n");
  }
  std::string text =
      absl::StrCat("The case:  ", file, "\n           norn-sim replay ", file, " --trace\n");
  PerformOptions options;
  options.record_events = true;
  options.limit_ms = failure.limit_ms;
  CaseRun run = Perform(smallest.tried, options).run;
  if (run.exit_code == kExitValid || run.exit_code == kExitUnknown) {
    // What the simulator has nothing against, the property has.
    run.verdict = "FALSIFIED";
    run.property = failure.what;
    run.witness = failure.why;
  }
  const auto made = MakeCase(NornStore(), smallest.tried);
  CORE_CHECK(made.ok());
  const Timeline timeline = MakeTimeline(run, **made);
  Explanation explanation = Explain(run, **made, timeline);
  explanation.fails = true;
  FindCauses(smallest, failure, timeline, &explanation);
  std::ofstream page(stem + ".html", std::ios::binary);
  page << RunPage(timeline, explanation);
  page.close();
  if (page.good()) {
    absl::StrAppend(&text, "The page:  ", stem, ".html\n");
  } else {
    absl::StrAppend(&text, stem, ".html: the page cannot be written\n");
  }
  return text;
}

}  // namespace norn::sim
