#include "sim/properties/write_failure.h"

#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/case.h"
#include "sim/explain/explanation.h"
#include "sim/explain/run_page.h"
#include "sim/explain/timeline.h"
#include "sim/store_subject.h"

namespace norn::sim {

std::string WriteFailure(const Outcome& smallest, const std::string& what, const std::string& why,
                         const std::string& folder, const std::string& name, int64_t limit_ms) {
  const std::string stem = absl::StrCat(folder, "/", name);
  const std::string file = stem + ".textproto";
  v1::Case written = smallest.tried;
  written.set_origin(absl::StrCat("a counterexample to: ", what));
  *written.mutable_outcome() = smallest.run.recorded.outcome();
  if (absl::Status saved = SaveCase(written, file); !saved.ok()) {
    return absl::StrCat(absl::string_view(saved.message()), "\n");
  }
  std::string text = absl::StrCat("The case:  ", file, "\n  norn-sim replay ", file, " --trace\n");
  PerformOptions options;
  options.record_events = true;
  options.limit_ms = limit_ms;
  const Outcome again = Perform(smallest.tried, options);
  const auto made = MakeCase(NornStore(), smallest.tried);
  CORE_CHECK(made.ok());
  CaseRun run = again.run;
  if (!again.violated() && !again.crashed()) {
    // What the simulator has nothing against, the property has.
    run.verdict = "FALSIFIED";
    run.property = what;
    run.witness = why;
  }
  const Timeline timeline = MakeTimeline(run, **made);
  Explanation explanation = Explain(run, **made, timeline);
  explanation.fails = true;
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
