// A few operations of a history that cannot be linearized.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/consistency/linearization.h"

namespace norn::consistency {
namespace {

// What is left open makes a search longer, at times beyond measure: none may cost much more than
// the check did, and all together not more than so many times that.
constexpr uint64_t kSearchFactor = 4;
constexpr uint64_t kBudgetFactor = 40;
constexpr uint64_t kCostMin = 5'000;

// Leaves the result of operations open, as long as what remains is a contradiction.
class Shortener {
 public:
  Shortener(std::vector<Operation> operations, uint64_t configurations_max, uint64_t budget)
      : operations_(std::move(operations)),
        configurations_max_(configurations_max),
        budget_(budget) {}

  void Run() {
    for (size_t chunk = std::max<size_t>(operations_.size() / 2, 1); budget_ > 0; chunk /= 2) {
      const bool opened = Pass(chunk);
      if (chunk > 1) continue;
      if (!opened) return;
      chunk = 2;  // what could not be opened before may be now
    }
  }

  const std::vector<Operation>& operations() const { return operations_; }

 private:
  bool Pass(size_t chunk) {
    bool opened = false;
    for (size_t i = 0; i < operations_.size() && budget_ > 0; i += chunk) {
      std::vector<Operation> tried = operations_;
      bool any = false;
      for (size_t k = i; k < std::min(i + chunk, tried.size()); ++k) {
        if (!tried[k].ok()) continue;
        tried[k].outcome = Outcome::kUnknown;
        any = true;
      }
      if (!any) continue;
      const Search search = SearchLinearization(tried, configurations_max_);
      const uint64_t cost = search.configurations + tried.size();
      budget_ -= std::min(budget_, cost);
      if (search.verdict != Verdict::kViolated) continue;
      operations_ = std::move(tried);
      opened = true;
    }
    return opened;
  }

  std::vector<Operation> operations_;
  const uint64_t configurations_max_;
  uint64_t budget_;
};

}  // namespace

Finding CheckLinearization(const KeyHistory& history, uint64_t configurations_max) {
  const Search search = SearchLinearization(history.operations, configurations_max);
  Finding finding;
  finding.verdict = search.verdict;
  if (search.verdict == Verdict::kUnknown) {
    finding.why = absl::StrCat("not decided after ", search.configurations,
                               " configurations: allow more with --limit");
  }
  if (search.verdict != Verdict::kViolated) return finding;

  // What comes after the end that cannot be passed has no part in it.
  std::vector<Operation> prefix;
  std::vector<size_t> places;
  for (size_t i = 0; i < history.operations.size(); ++i) {
    Operation operation = history.operations[i];
    if (operation.call > search.stuck_at) break;
    if (operation.outcome == Outcome::kFailed) continue;
    if (operation.end > search.stuck_at) operation.outcome = Outcome::kUnknown;
    prefix.push_back(operation);
    places.push_back(i);
  }
  const uint64_t cost =
      std::max<uint64_t>(search.configurations + history.operations.size(), kCostMin);
  Shortener shortener(std::move(prefix), std::min(configurations_max, kSearchFactor * cost),
                      kBudgetFactor * cost);
  shortener.Run();
  for (size_t i = 0; i < places.size(); ++i) {
    if (shortener.operations()[i].ok()) finding.witness.push_back(places[i]);
  }
  finding.why =
      "these operations fit in no order within their times, even if every other write took "
      "effect at any time after its call, or never";
  return finding;
}

}  // namespace norn::consistency
