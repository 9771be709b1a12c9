#include "sim/ci/junit.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/ci/markup.h"
#include "sim/universe.h"

namespace norn::sim {

namespace {

struct Suite {
  uint64_t tests = 0;
  uint64_t failures = 0;
  uint64_t errors = 0;
  uint64_t skipped = 0;
  std::string cases;
};

// Those of the group, the worst first.
std::vector<const CiFailure*> FailuresOf(const CiReport& report, const CiGroup& group) {
  std::vector<const CiFailure*> found;
  for (const CiFailure& failure : report.failures) {
    if (group.failures.count(failure.fingerprint) != 0) found.push_back(&failure);
  }
  return found;
}

std::string Describe(const CiFailure& failure, uint64_t runs) {
  std::string text = absl::StrCat(failure.verdict, ": ", failure.property, "\n");
  if (!failure.witness.empty()) absl::StrAppend(&text, failure.witness, "\n");
  if (!failure.config.empty()) absl::StrAppend(&text, failure.config, "\n");
  absl::StrAppend(&text, "in ", runs, runs == 1 ? " run" : " runs", " here, ", failure.runs,
                  " in all\nto see it again: ", failure.command, "\n");
  if (!failure.files.empty()) absl::StrAppend(&text, "in the report: ", failure.folder, "\n");
  return text;
}

void AddCase(const CiReport& report, const CiGroup& group, Suite* suite) {
  ++suite->tests;
  absl::StrAppend(&suite->cases, "    <testcase classname=\"norn-sim.",
                  group.corpus ? "corpus" : "seeds", "\" name=\"", EscapeMarkup(group.name),
                  "\">\n");
  const std::vector<const CiFailure*> failures = FailuresOf(report, group);
  if (group.runs == 0) {
    ++suite->skipped;
    absl::StrAppend(&suite->cases, "      <skipped message=\"there was no time for it\"/>\n");
  } else if (!failures.empty()) {
    // Some readers take only the first.
    const CiFailure& worst = *failures.front();
    const bool crashed = worst.exit_code == kExitCrashed;
    ++(crashed ? suite->errors : suite->failures);
    const char* element = crashed ? "error" : "failure";
    std::string text;
    for (const CiFailure* failure : failures) {
      absl::StrAppend(&text, text.empty() ? "" : "\n",
                      Describe(*failure, group.failures.at(failure->fingerprint)));
    }
    absl::StrAppend(&suite->cases, "      <", element, " type=\"", EscapeMarkup(worst.verdict),
                    "\" message=\"",
                    EscapeMarkup(absl::StrCat(worst.verdict, ": ", worst.property)), "\">",
                    EscapeMarkup(text), "</", element, ">\n");
  }
  absl::StrAppend(&suite->cases, "      <system-out>", group.runs, " runs, ", group.valid,
                  " valid</system-out>\n    </testcase>\n");
}

std::string Counts(uint64_t tests, uint64_t failures, uint64_t errors, uint64_t skipped) {
  return absl::StrCat("tests=\"", tests, "\" failures=\"", failures, "\" errors=\"", errors,
                      "\" skipped=\"", skipped, "\"");
}

}  // namespace

std::string ToJunit(const CiReport& report) {
  Suite corpus;
  Suite seeds;
  for (const CiGroup& group : report.groups) {
    AddCase(report, group, group.corpus ? &corpus : &seeds);
  }
  // What is missing must not look like success.
  Suite whole;
  for (const std::string& gap : report.Gaps()) {
    ++whole.tests;
    ++whole.failures;
    absl::StrAppend(&whole.cases, "    <testcase classname=\"norn-sim.campaign\" name=\"",
                    EscapeMarkup(gap), "\">\n      <failure type=\"UNKNOWN\" message=\"",
                    EscapeMarkup(gap), "\"/>\n    </testcase>\n");
  }
  const std::string time = absl::StrFormat("%.3f", static_cast<double>(report.real_ms) / 1000);
  std::string xml =
      absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"norn-sim ci\" ",
                   Counts(corpus.tests + seeds.tests + whole.tests,
                          corpus.failures + seeds.failures + whole.failures,
                          corpus.errors + seeds.errors + whole.errors,
                          corpus.skipped + seeds.skipped + whole.skipped),
                   " time=\"", time, "\">\n");
  const auto add = [&](const char* name, const Suite& suite) {
    if (suite.tests == 0) return;
    absl::StrAppend(&xml, "  <testsuite name=\"", name, "\" ",
                    Counts(suite.tests, suite.failures, suite.errors, suite.skipped),
                    ">\n    <properties>\n      <property name=\"revision\" value=\"",
                    EscapeMarkup(report.revision), "\"/>\n    </properties>\n", suite.cases,
                    "  </testsuite>\n");
  };
  add("corpus", corpus);
  add("seeds", seeds);
  add("campaign", whole);
  return xml + "</testsuites>\n";
}

}  // namespace norn::sim
