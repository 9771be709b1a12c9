#include "sim/shrinker.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/case_edit.h"

namespace norn::sim {

namespace {

constexpr int64_t kMilli = 1'000;
constexpr size_t kChanceWeighs = 100;  // bytes

class Shrinker {
 public:
  Shrinker(const v1::Case& written, const CaseRun& first, const ShrinkOptions& options,
           CaseRunner* runner)
      : options_(options), runner_(*runner), wanted_(first.Fingerprint()) {
    result_.smallest = written;
    result_.run = first;
  }

  ShrinkResult Run() {
    size_t before;
    do {
      before = Size();
      ShortenTime();
      CutAll(FaultsOf);
      CutAll(ClientsOf);
      CutAll(KeysOf);
      CutAll(OperationsOf);
      ShortenTime();
      StartEarlier();
      ListHarms();
      CutAll(MessagesOf);
      Simplify("simpler messages", SimplerMessages);
      CutAll(RecountedOperationsOf);
      CutAll(NodesOf);
      Simplify("constant delays", [](const v1::Case& from) {
        return std::vector<v1::Case>{WithConstantDelays(from)};
      });
      CutAll(LinksOf);
      CutAll(KnobsOfCase);
      Simplify("simpler operations", SimplerOperations);
      Simplify("simpler faults", SimplerFaults);
    } while (Size() < before && !options_.enough());
    result_.finished = !options_.enough();
    *result_.smallest.mutable_outcome() = result_.run.recorded.outcome();
    return std::move(result_);
  }

 private:
  // What is named is simpler than what is left to chance: a few messages weigh less than one fault
  // that may harm any.
  static size_t SizeOf(const v1::Case& written) {
    return written.ByteSizeLong() + kChanceWeighs * FaultsOfChance(written);
  }
  size_t Size() const { return SizeOf(result_.smallest); }

  // Takes the first candidate that fails in the same way. Returns its place.
  std::optional<size_t> Try(const std::string& pass, size_t count,
                            const std::function<v1::Case(size_t)>& candidate) {
    if (options_.progress) {
      options_.progress({pass, runner_.runs(), static_cast<size_t>(result_.smallest.fault_size()),
                         static_cast<size_t>(result_.smallest.operation_size())});
    }
    CaseRun run;
    const auto same = [this](const CaseRun& ended) {
      return options_.same ? options_.same(ended) : ended.Fingerprint() == wanted_;
    };
    const auto place = runner_.First(count, candidate, same, options_.enough, &run);
    if (!place.has_value()) return std::nullopt;
    result_.smallest = candidate(*place);
    result_.run = std::move(run);
    return place;
  }
  std::optional<size_t> Try(const std::string& pass, const std::vector<v1::Case>& candidates) {
    return Try(pass, candidates.size(), [&candidates](size_t i) { return candidates[i]; });
  }

  // Leaves out runs of neighbours, then shorter ones, down to single things. After a success it
  // goes on behind what has gone.
  void CutAll(PartsOfCase (*parts_of)(const v1::Case&)) {
    const PartsOfCase parts = parts_of(result_.smallest);
    size_t count = parts.count;
    for (size_t length = std::max<size_t>(count, 1); count > 0;) {
      // From the end: what comes late has the least to do with what else happens.
      size_t end = count;
      while (end > 0 && !options_.enough()) {
        const auto gone_from = [length](size_t to) { return to - std::min(to, length); };
        const v1::Case whole = result_.smallest;
        const auto place = Try(parts.name, (end + length - 1) / length, [&](size_t chunk) {
          std::vector<size_t> gone;
          const size_t to = end - chunk * length;
          for (size_t i = gone_from(to); i < to; ++i) gone.push_back(i);
          return parts.without(whole, gone);
        });
        if (!place.has_value()) break;
        const size_t to = end - *place * length;
        const size_t from = gone_from(to);
        count -= to - from;
        end = from;
      }
      if (length == 1 || options_.enough()) return;
      length = std::max<size_t>(1, std::min(length / 2, count));
    }
  }

  // The earliest end of faults and clients, to a hundredth or so.
  void ShortenTime() {
    while (!options_.enough()) {
      const int64_t until_us = result_.smallest.until_us();
      std::vector<v1::Case> shorter;
      int64_t tried_us = -1;
      for (const int percent : {10, 25, 50, 75, 90, 97}) {
        const int64_t at_us = until_us / 100 * percent / kMilli * kMilli;
        if (at_us < kMilli || at_us == tried_us) continue;
        shorter.push_back(Until(result_.smallest, at_us));
        tried_us = at_us;
      }
      if (!Try("time", shorter).has_value()) return;
    }
  }

  // Everything earlier, to a hundredth or so: what comes first waits for nothing.
  void StartEarlier() {
    while (!options_.enough()) {
      const int64_t first_us = FirstThingUs(result_.smallest);
      std::vector<v1::Case> earlier;
      int64_t tried_us = 0;
      for (const int percent : {90, 75, 50, 25, 10, 3}) {
        const int64_t by_us = first_us / 100 * percent / kMilli * kMilli;
        if (by_us < kMilli || by_us == tried_us || by_us >= result_.smallest.until_us()) continue;
        earlier.push_back(Earlier(result_.smallest, by_us));
        tried_us = by_us;
      }
      if (!Try("earlier", earlier).has_value()) return;
    }
  }

  // Names the messages that the faults of chance harmed, if that makes the case smaller.
  void ListHarms() {
    const ShrinkResult before = result_;
    std::vector<v1::Case> listed = {WithListedHarms(before.smallest, before.run.harms)};
    for (const v1::CaseFault& fault : before.smallest.fault()) {
      listed.push_back(WithListedHarms(before.smallest, before.run.harms, fault.id()));
    }
    const auto same = [&before](const v1::Case& other) {
      return other.fault_size() == before.smallest.fault_size();
    };
    listed.erase(std::remove_if(listed.begin(), listed.end(), same), listed.end());
    if (listed.empty() || !Try("listed harms", listed).has_value()) return;
    CutAll(MessagesOf);
    if (Size() > SizeOf(before.smallest)) result_ = before;
  }

  void Simplify(const char* pass, const std::function<std::vector<v1::Case>(const v1::Case&)>& to) {
    size_t from = 0;
    while (!options_.enough()) {
      std::vector<v1::Case> simpler = to(result_.smallest);
      from = std::min(from, simpler.size());
      simpler.erase(simpler.begin(), simpler.begin() + static_cast<ptrdiff_t>(from));
      const size_t before = Size();
      const std::optional<size_t> place = Try(pass, simpler);
      // What was tried in vain comes first again, and need not.
      if (!place.has_value() || Size() >= before) return;
      from += *place;
    }
  }

  const ShrinkOptions& options_;
  CaseRunner& runner_;
  const std::string wanted_;
  ShrinkResult result_;
};

}  // namespace

ShrinkResult Shrink(const v1::Case& written, const CaseRun& first, const ShrinkOptions& options,
                    CaseRunner* runner) {
  return Shrinker(written, first, options, runner).Run();
}

}  // namespace norn::sim
