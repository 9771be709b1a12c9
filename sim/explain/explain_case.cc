#include "sim/explain/explain_case.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/case.h"
#include "sim/case_edit.h"
#include "sim/explain/needed.h"
#include "sim/run_options.h"

namespace norn::sim {

namespace {

// Repeats the run without each fault, and each harm to a message, that the case lists.
void FindCauses(const Subject& subject, const v1::Case& written, const Timeline& timeline,
                const CaseRun& first, const std::function<bool()>& over, CaseRunner* runner,
                Explanation* explanation) {
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
  const NeededParts needed = FindNeeded(faults.count + messages.count, without, over);
  for (size_t i = 0; i < needed.parts.size(); ++i) {
    explanation->causes[i].need = needed.parts[i];
  }
  explanation->enough = needed.enough;
}

}  // namespace

ExplainedCase ExplainCase(const Subject& subject, const v1::Case& written,
                          const std::shared_ptr<const Case>& made,
                          const std::function<bool()>& over, CaseRunner* runner) {
  RunOptions options;
  options.replay = made;
  options.record_events = true;
  ExplainedCase found;
  found.run = runner->Run(options);
  found.timeline = MakeTimeline(found.run, *made);
  found.explanation = Explain(found.run, *made, found.timeline);
  if (found.explanation.fails) {
    FindCauses(subject, written, found.timeline, found.run, over, runner, &found.explanation);
  }
  return found;
}

}  // namespace norn::sim
