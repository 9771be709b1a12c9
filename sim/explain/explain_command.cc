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
#include "sim/case_edit.h"
#include "sim/case_runner.h"
#include "sim/explain/explanation.h"
#include "sim/explain/needed.h"
#include "sim/explain/run_page.h"
#include "sim/explain/shiviz.h"
#include "sim/explain/timeline.h"

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

// Repeats the run without each fault, and each harm to a message, that the case lists.
void FindCauses(const Subject& subject, const v1::Case& written, const Timeline& timeline,
                const CaseRun& first, const Arguments& arguments, CaseRunner* runner,
                Explanation* explanation) {
  using Clock = std::chrono::steady_clock;
  const PartsOfCase faults = FaultsOf(written);
  const PartsOfCase messages = MessagesOf(written);
  for (const v1::CaseFault& fault : written.fault()) {
    CausePart cause;
    cause.fault = fault.id();
    for (const Band& band : timeline.bands) {
      if (band.id == fault.id()) cause.text = band.text;
    }
    explanation->causes.push_back(std::move(cause));
  }
  for (const v1::CaseMessage& message : written.message()) {
    CausePart cause;
    cause.text =
        absl::StrCat(message.name(), " number ", message.nth(), " from n", message.from(), " to n",
                     message.to(), message.has_key() ? " about " : "", message.key(),
                     message.lost() ? " is lost" : "", message.doubled() ? " is doubled" : "",
                     message.later_us() == 0 ? ""
                     : message.doubled() ? absl::StrCat(", once ", message.later_us(), " us late")
                                         : absl::StrCat(" is ", message.later_us(), " us late"));
    explanation->causes.push_back(std::move(cause));
  }
  const std::string same = first.Fingerprint();
  const auto without = [&](const std::vector<size_t>& gone) -> std::string {
    std::vector<size_t> gone_faults;
    std::vector<size_t> gone_messages;
    for (const size_t part : gone) {
      if (part < faults.count) {
        gone_faults.push_back(part);
      } else {
        gone_messages.push_back(part - faults.count);
      }
    }
    const v1::Case less = messages.without(faults.without(written, gone_faults), gone_messages);
    const auto runnable = MakeCase(subject, less);
    if (!runnable.ok()) return std::string(runnable.status().message());
    RunOptions options;
    options.replay = *runnable;
    const CaseRun run = runner->Run(options);
    if (run.Fingerprint() == same) return "";
    return absl::StrCat(run.verdict, run.property.empty() ? "" : ": ", run.property);
  };
  const Clock::time_point until = Clock::now() + absl::ToChronoMilliseconds(arguments.budget);
  const NeededParts needed =
      FindNeeded(faults.count + messages.count, without, [until] { return Clock::now() >= until; });
  for (size_t i = 0; i < needed.parts.size(); ++i) {
    explanation->causes[i].need = needed.parts[i];
  }
  explanation->enough = needed.enough;
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return out.good();
}

}  // namespace

int ExplainCommand(const Subject& subject, const std::vector<std::string>& words) {
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
  RunOptions options;
  options.replay = *made;
  options.record_events = true;
  const CaseRun run = runner.Run(options);
  const Timeline timeline = MakeTimeline(run, **made);
  Explanation explanation = Explain(run, **made, timeline);
  if (explanation.fails)
    FindCauses(subject, *written, timeline, run, arguments, &runner, &explanation);
  std::cout << (arguments.json ? ToJson(explanation) + "\n" : ToText(explanation));
  std::ostream& notes = arguments.json ? std::cerr : std::cout;
  if (!arguments.html.empty()) {
    if (!WriteFile(arguments.html, RunPage(timeline, explanation))) {
      return Refuse(subject, absl::StrCat(arguments.html, ": the page cannot be written"));
    }
    notes << "\nThe page: " << arguments.html << " (" << run.events.size() << " events)\n";
  }
  if (!arguments.shiviz.empty()) {
    if (!WriteFile(arguments.shiviz, ToShiviz(run.events))) {
      return Refuse(subject, absl::StrCat(arguments.shiviz, ": the log cannot be written"));
    }
    notes << "\nFor ShiViz: " << arguments.shiviz
          << "; as its log parsing regular expression enter\n  " << kShivizExpression << "\n";
  }
  return run.exit_code;
}

}  // namespace norn::sim
