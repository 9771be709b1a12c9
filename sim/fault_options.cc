#include "sim/fault_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace norn::sim {

bool TakeFaultOption(const std::vector<std::string>& words, size_t* at, FaultChoice* choice,
                     std::optional<std::string>* wrong) {
  const std::string& word = words[*at];
  if (word != "--faults" && word != "--no-faults") return false;
  if (*at + 1 == words.size()) {
    *wrong = absl::StrCat(word, " needs a list of kinds or classes: norn-sim faults names them");
    return true;
  }
  FaultSet set;
  std::string why;
  if (!ParseFaultSet(words[++*at], &set, &why)) {
    *wrong = absl::StrCat(word, ": ", why);
    return true;
  }
  if (word == "--faults") {
    choice->allowed = choice->allowed.Intersect(set);
    choice->asked = true;
  } else {
    choice->allowed = choice->allowed.Without(set);
  }
  if (choice->asked && choice->allowed.empty()) {
    *wrong = "--no-faults leaves out all that --faults names";
  }
  return true;
}

std::string FaultOptionsOf(const FaultChoice& choice) {
  if (choice.asked) return absl::StrCat(" --faults ", ToString(choice.allowed));
  const FaultSet out = FaultSet::All().Without(choice.allowed);
  return out.empty() ? "" : absl::StrCat(" --no-faults ", ToString(out));
}

bool TakeRareOption(const std::vector<std::string>& words, size_t* at, RareChoice* choice,
                    std::optional<std::string>* wrong) {
  if (words[*at] != "--rare-branches") return false;
  const std::string value = *at + 1 < words.size() ? words[++*at] : "";
  if (value == "none") {
    *choice = RareChoice::kNone;
  } else if (value == "some") {
    *choice = RareChoice::kSome;
  } else if (value == "all") {
    *choice = RareChoice::kAll;
  } else {
    *wrong = absl::StrCat("--rare-branches is \"", value, "\": write none, some or all");
  }
  return true;
}

std::string RareOptionOf(RareChoice choice) {
  switch (choice) {
    case RareChoice::kNone:
      return " --rare-branches none";
    case RareChoice::kAll:
      return " --rare-branches all";
    case RareChoice::kSome:
      return "";
  }
  return "";
}

std::string FaultTable() {
  std::string table =
      absl::StrFormat("%-18s %-10s %-72s %s\n", "kind", "class", "what happens", "effects are");
  for (int i = 0; i < kFaultKindCount; ++i) {
    const FaultKindInfo& info = InfoOf(static_cast<FaultKind>(i));
    absl::StrAppendFormat(&table, "%-18s %-10s %-72s %s\n", info.name, FaultClassName(info.of),
                          info.what, info.effect);
  }
  return table;
}

}  // namespace norn::sim
