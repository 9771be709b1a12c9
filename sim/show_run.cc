#include "sim/show_run.h"

#include <iostream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace norn::sim {

namespace {

bool ParseWindow(const std::string& text, ShowOptions* options) {
  const size_t dots = text.find("..");
  return dots != std::string::npos && absl::SimpleAtoi(text.substr(0, dots), &options->first) &&
         absl::SimpleAtoi(text.substr(dots + 2), &options->last) && options->first >= 1 &&
         options->first <= options->last;
}

}  // namespace

bool TakeShowOption(const std::vector<std::string>& words, size_t* i, ShowOptions* options,
                    std::optional<std::string>* wrong) {
  const std::string& word = words[*i];
  if (word == "--trace") {
    options->trace = true;
    return true;
  }
  if (word != "--events" && word != "--checkpoints") return false;
  if (*i + 1 == words.size()) {
    *wrong = absl::StrCat(word, " needs a value");
    return true;
  }
  const std::string& value = words[++*i];
  if (word == "--events") {
    options->trace = options->window = true;
    if (!ParseWindow(value, options)) {
      *wrong = absl::StrCat("--events is \"", value, "\": write 1..1000");
    }
  } else if (!absl::SimpleAtoi(value, &options->checkpoint_every) ||
             options->checkpoint_every == 0) {
    *wrong = absl::StrCat("--checkpoints is \"", value, "\": it must be a number above 0");
  }
  return true;
}

int ShowRun(const Subject& subject, const RunOptions& run, const ShowOptions& options) {
  TraceView view = nullptr;
  if (options.checkpoint_every != 0) {
    view.checkpoint_every = options.checkpoint_every;
    view.checkpoint = [](uint64_t events, const std::string& hash) {
      std::cout << events << " " << hash << std::endl;
    };
  } else if (options.trace) {
    view.printer = [](const std::string& line) { std::cout << line << "\n"; };
    view.numbered = options.window;
    view.first = options.first;
    view.last = options.last;
  }
  const RunResult result = subject.Run(run, std::move(view));
  const int code = ExitCodeOfVerdict(result.verdict);
  if (options.checkpoint_every != 0) {
    std::cout << result.traced_events << " " << result.trace_hash << "\n";
    return code;
  }
  std::cout << "\n" << result.config << "\n";
  for (const Fault& fault : result.plan) std::cout << ToString(fault) << "\n";
  std::cout << VerdictName(result.verdict)
            << (result.property.empty() ? "" : ": " + result.property) << "\n";
  if (!result.witness.empty()) std::cout << result.witness << "\n";
  if (!result.phases.phases.empty()) std::cout << ToText(result.phases);
  std::cout << "hash " << result.trace_hash << "\n";
  return code;
}

}  // namespace norn::sim
