#include "sim/explain/explain_command.h"

#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/explain/explain_case.h"
#include "sim/explain/explanation.h"
#include "sim/explain/run_page.h"
#include "sim/explain/shiviz.h"

namespace norn::sim {

namespace {

struct Arguments {
  std::string path;
  std::string html;
  std::string shiviz;
  bool json = false;
  absl::Duration budget = absl::Seconds(60);
  absl::Duration limit = absl::Seconds(60);
};

int Refuse(const Subject& subject, absl::string_view why) {
  std::cerr << subject.program() << ": " << why << "\n";
  return kExitUsage;
}

// What is wrong, or nothing.
std::optional<std::string> Parse(const Subject& subject, const std::vector<std::string>& words,
                                 Arguments* arguments) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--json") {
      arguments->json = true;
      continue;
    }
    if (!absl::StartsWith(word, "-") && arguments->path.empty()) {
      arguments->path = word;
      continue;
    }
    absl::Duration* time = nullptr;
    std::string* file = nullptr;
    if (word == "--budget") time = &arguments->budget;
    if (word == "--limit") time = &arguments->limit;
    if (word == "--html") file = &arguments->html;
    if (word == "--shiviz") file = &arguments->shiviz;
    if (time == nullptr && file == nullptr) {
      return absl::StrCat("explain does not take \"", word, "\"");
    }
    if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
    const std::string& value = words[++i];
    if (file != nullptr) {
      *file = value;
    } else if (!absl::ParseDuration(value, time) || *time < absl::ZeroDuration()) {
      return absl::StrCat(word, " is \"", value, "\": write 60s, or 10m");
    }
  }
  if (arguments->path.empty()) {
    return absl::StrCat("explain which case? Write: ", subject.program(),
                        " explain FILE --html PAGE");
  }
  if (arguments->limit == absl::ZeroDuration()) return std::string("--limit must be above 0");
  return std::nullopt;
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return out.good();
}

}  // namespace

int ExplainCommand(const Subject& subject, const std::vector<std::string>& words) {
  using Clock = std::chrono::steady_clock;
  Arguments arguments;
  if (auto wrong = Parse(subject, words, &arguments)) return Refuse(subject, *wrong);
  const absl::StatusOr<v1::Case> written = LoadCase(subject, arguments.path);
  if (!written.ok()) return Refuse(subject, written.status().message());
  const auto made = MakeCase(subject, *written);
  if (!made.ok())
    return Refuse(subject, absl::StrCat(arguments.path, ": ", made.status().message()));
  CaseRunnerOptions running;
  running.limit_ms = absl::ToInt64Milliseconds(arguments.limit);
  CaseRunner runner(subject, running);
  const Clock::time_point until = Clock::now() + absl::ToChronoMilliseconds(arguments.budget);
  const ExplainedCase found = ExplainCase(
      subject, *written, *made, [until] { return Clock::now() >= until; }, &runner);
  std::cout << (arguments.json ? ToJson(found.explanation) + "\n" : ToText(found.explanation));
  std::ostream& notes = arguments.json ? std::cerr : std::cout;
  if (!arguments.html.empty()) {
    if (!WriteFile(arguments.html, RunPage(found.timeline, found.explanation))) {
      return Refuse(subject, absl::StrCat(arguments.html, ": the page cannot be written"));
    }
    notes << "\nThe page: " << arguments.html << " (" << found.run.events.size() << " events)\n";
  }
  if (!arguments.shiviz.empty()) {
    if (!WriteFile(arguments.shiviz, ToShiviz(found.run.events))) {
      return Refuse(subject, absl::StrCat(arguments.shiviz, ": the log cannot be written"));
    }
    notes << "\nFor ShiViz: " << arguments.shiviz
          << "; as its log parsing regular expression enter\n  " << kShivizExpression << "\n";
  }
  return found.run.exit_code;
}

}  // namespace norn::sim
