// How fast the simulator is, on one thread, as a worker of norn-sim runs it: on the default
// campaign, one universe after another; and on five healthy nodes whose clients ask so many times
// a second, with the real codec and engine, checked in the end like any run. Beside them the floor:
// the queue of events alone, with nothing to do.
//
// Real time is what a user waits; processor time is told beside it, since it does not
// depend on what else the machine does. There is no peer to run beside: the others that
// simulate this way simulate another system.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/json_file.h"
#include "sim/scenario.h"
#include "sim/scheduler.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

constexpr char kUsage[] = R"(sim_speed: the speed of the simulator

  sim_speed [--quick] [--json FILE]
      --quick      30 seeds instead of 300, and shorter runs
      --json FILE  writes the figures to FILE as well

Exit codes: 0 done, 1 a seed was not valid (its speed says nothing), 2 wrong usage or the
file cannot be written.
)";

constexpr uint64_t kSeeds = 300;
constexpr uint64_t kQuickSeeds = 30;
// Operations of clients a second, and for how long.
struct Rate {
  int per_second;
  int clients;
  int seconds;
};
constexpr Rate kRates[] = {{100, 20, 60}, {1'000, 60, 20}, {10'000, 400, 4}};
constexpr int kQuickShare = 4;
constexpr uint64_t kFloorEvents = 20'000'000;
constexpr uint64_t kFloorQueue = 1'000;  // that wait at once: as many as in a run
constexpr int kBarWidth = 40;

struct Row {
  std::string name;
  std::string unit;
  double value = 0;
};

struct Totals {
  uint64_t seeds = 0;
  uint64_t events = 0;
  double virtual_s = 0;
  double real_s = 0;
  double cpu_s = 0;
  std::vector<double> seed_ms;  // real time of each
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// False: a seed was not valid.
bool Measure(uint64_t seeds, Totals* totals) {
  using Clock = std::chrono::steady_clock;
  const double cpu_began_s = CpuSeconds();
  const Clock::time_point began = Clock::now();
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    RunOptions options;
    options.seed = seed;
    const Clock::time_point seed_began = Clock::now();
    const RunResult result = RunUniverse(options, nullptr);
    const std::chrono::duration<double, std::milli> took = Clock::now() - seed_began;
    if (result.verdict != Verdict::kValid) {
      std::cerr << "sim_speed: seed " << seed << " is " << VerdictName(result.verdict) << ": "
                << result.property << "\n  to see it: norn-sim run --seed " << seed << " --trace\n";
      return false;
    }
    totals->seed_ms.push_back(took.count());
    totals->events += result.events;
    totals->virtual_s += static_cast<double>(result.virtual_us) / 1e6;
    ++totals->seeds;
  }
  totals->real_s = std::chrono::duration<double>(Clock::now() - began).count();
  totals->cpu_s = CpuSeconds() - cpu_began_s;
  std::sort(totals->seed_ms.begin(), totals->seed_ms.end());
  return true;
}

std::vector<Row> RowsOf(const Totals& totals) {
  const auto seeds = static_cast<double>(totals.seeds);
  const auto events = static_cast<double>(totals.events);
  return {
      {"virtual time per real time", "s/s", totals.virtual_s / totals.real_s},
      {"events per real second", "1/s", events / totals.real_s},
      {"seeds per real second", "1/s", seeds / totals.real_s},
      {"virtual time per processor time", "s/s", totals.virtual_s / totals.cpu_s},
      {"events per processor second", "1/s", events / totals.cpu_s},
      {"seeds per processor second", "1/s", seeds / totals.cpu_s},
  };
}

std::string ToJson(const std::vector<Row>& rows) {
  std::string out = "{\"rows\":[";
  for (const Row& row : rows) {
    absl::StrAppendFormat(&out,
                          "%s{\"name\":\"%s\",\"unit\":\"%s\",\"better\":\"higher\",\"norn\":%.1f}",
                          out.back() == '[' ? "" : ",", row.name, row.unit, row.value);
  }
  return out + "]}\n";
}

// False: the run was not valid.
bool MeasureRate(const Rate& rate, int seconds, std::vector<Row>* rows) {
  const std::string text = absl::StrFormat(
      "description: \"%1$d operations a second\"\n"
      "cluster { nodes: 5 zones: 3 partitions: 64 }\n"
      "workload {\n"
      "  clients { count: %2$d }\n"
      "  operations_per_second: %1$d\n"
      "  keys { count: 1000 zipfian {} }\n"
      "  size { min_bytes: 100 max_bytes: 1000 }\n"
      "}\n"
      "phases { before_ms: %3$d faults_ms: 0 after_ms: 0 }\n",
      rate.per_second, rate.clients, seconds * 1000);
  auto scenario = ParseScenario(text, "sim_speed");
  if (!scenario.ok()) {
    std::cerr << "sim_speed: " << scenario.status().message() << "\n";
    return false;
  }
  RunOptions options;
  options.scenario = *std::move(scenario);
  const double began_s = CpuSeconds();
  const RunResult result = RunUniverse(options, nullptr);
  const double cpu_s = CpuSeconds() - began_s;
  if (result.verdict != Verdict::kValid) {
    std::cerr << "sim_speed: the run of " << rate.per_second << " operations a second is "
              << VerdictName(result.verdict) << ": " << result.property << "\n";
    return false;
  }
  const std::string at = absl::StrCat(" at ", rate.per_second, " op/s");
  const double virtual_s = static_cast<double>(result.virtual_us) / 1e6;
  rows->push_back({"virtual time per processor time" + at, "s/s", virtual_s / cpu_s});
  rows->push_back(
      {"events per processor second" + at, "1/s", static_cast<double>(result.events) / cpu_s});
  return true;
}

// Events that do nothing but schedule the next one.
Row MeasureFloor(uint64_t events) {
  struct Chain {
    Scheduler* scheduler;
    uint64_t state;
    void operator()() {
      state = state * 6364136223846793005u + 1442695040888963407u;
      scheduler->After(static_cast<int64_t>(state >> 50), *this);
    }
  };
  Scheduler scheduler;
  for (uint64_t i = 0; i < kFloorQueue; ++i) Chain{&scheduler, i}();
  const double began_s = CpuSeconds();
  scheduler.RunUntilDone(kNever, [&] { return scheduler.events() >= events; });
  return {"floor: events that do nothing", "1/s",
          static_cast<double>(scheduler.events()) / (CpuSeconds() - began_s)};
}

// How long seeds took, as bars.
void PlotSeeds(const std::vector<double>& seed_ms) {
  constexpr size_t kBars = 10;
  const double widest_ms = std::max(seed_ms.back(), 1e-9);
  std::vector<size_t> counts(kBars, 0);
  for (const double ms : seed_ms) {
    const auto bar = static_cast<size_t>(ms / widest_ms * static_cast<double>(kBars));
    ++counts[std::min(bar, kBars - 1)];
  }
  const size_t most = *std::max_element(counts.begin(), counts.end());
  std::cout << "\nreal time of a seed\n";
  for (size_t i = 0; i < kBars; ++i) {
    const double upto_ms = widest_ms * static_cast<double>(i + 1) / static_cast<double>(kBars);
    std::cout << absl::StrFormat("  up to %7.1f ms %5d %s\n", upto_ms, counts[i],
                                 std::string(counts[i] * kBarWidth / most, '#'));
  }
}

int Main(int argc, char** argv) {
  uint64_t seeds = kSeeds;
  int share = 1;
  std::string json_path;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      seeds = kQuickSeeds;
      share = kQuickShare;
    } else if (word == "--json" && i + 1 < argc) {
      json_path = argv[++i];
    } else if (word == "--help") {
      std::cout << kUsage;
      return 0;
    } else {
      std::cerr << "sim_speed: \"" << word << "\" is not understood\n" << kUsage;
      return 2;
    }
  }
  Totals totals;
  if (!Measure(seeds, &totals)) return 1;
  std::vector<Row> rows = RowsOf(totals);
  for (const Rate& rate : kRates) {
    if (!MeasureRate(rate, rate.seconds / share, &rows)) return 1;
  }
  rows.push_back(MeasureFloor(kFloorEvents / static_cast<uint64_t>(share)));
  std::cout << totals.seeds << " seeds of the default campaign (5 nodes, N=3, R=W=2), one thread\n"
            << absl::StrFormat("%.1f s of virtual time, %.2f s real, %.2f s of processor time\n\n",
                               totals.virtual_s, totals.real_s, totals.cpu_s);
  for (const Row& row : rows) {
    std::cout << absl::StrFormat("  %-48s %14.1f %s\n", row.name, row.value, row.unit);
  }
  PlotSeeds(totals.seed_ms);
  if (json_path.empty()) return 0;
  return WriteJsonFile("sim_speed", json_path, ToJson(rows)) ? 0 : 2;
}

}  // namespace
}  // namespace norn::sim

int main(int argc, char** argv) { return norn::sim::Main(argc, argv); }
