#include "benchmarks/engines/sync_threads.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "benchmarks/engines/process_usage.h"

namespace norn::benchmarks {

void RunSyncThreads(const SyncPlan& plan,
                    absl::FunctionRef<void(absl::string_view key, absl::string_view value)> put,
                    SyncOutcome* outcome) {
  std::atomic<uint64_t> made{0};
  std::vector<Histogram> latencies(static_cast<size_t>(plan.writers));
  std::vector<std::thread> threads;
  const double cpu_before = CpuSeconds();
  const int64_t started_ns = NowNs();
  const auto end_ns = started_ns + static_cast<int64_t>(plan.seconds * 1e9);
  for (Histogram& latency : latencies) {
    threads.emplace_back([&plan, &put, &made, &latency, end_ns] {
      std::string key;
      std::string value;
      for (int64_t now_ns = NowNs(); now_ns < end_ns;) {
        plan.make_put(made.fetch_add(1), &key, &value);
        const int64_t before_ns = NowNs();
        put(key, value);
        now_ns = NowNs();
        latency.Add(now_ns - before_ns);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  outcome->cpu_seconds = CpuSeconds() - cpu_before;
  outcome->seconds = static_cast<double>(NowNs() - started_ns) / 1e9;
  for (const Histogram& latency : latencies) outcome->latency.Merge(latency);
  outcome->puts = outcome->latency.count();
}

}  // namespace norn::benchmarks
