#include "sim/run_phases.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/check.h"
#include "core/coding.h"
#include "core/json_string.h"

namespace norn::sim {

namespace {

constexpr uint64_t kSteps = 16;  // buckets from one power of two to the next

uint64_t BucketOf(int64_t latency_us) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(latency_us, 0));
  if (value < kSteps) return value;
  uint64_t shift = 0;
  while (value >> shift >= 2 * kSteps) ++shift;
  return kSteps * shift + (value >> shift);
}

// The greatest latency of the bucket.
int64_t TopOf(uint64_t bucket) {
  if (bucket < 2 * kSteps) return static_cast<int64_t>(bucket);
  const uint64_t shift = bucket / kSteps - 1;
  return static_cast<int64_t>(((bucket - kSteps * shift + 1) << shift) - 1);
}

void AddAll(const std::vector<PhaseStats>& from, std::vector<PhaseStats>* to) {
  for (size_t i = 0; i < from.size(); ++i) {
    if (i == to->size()) {
      to->push_back(from[i]);
      continue;
    }
    (*to)[i].gets.Add(from[i].gets);
    (*to)[i].writes.Add(from[i].writes);
  }
}

std::string Row(const std::string& name, const char* what, const RequestStats& stats) {
  const uint64_t available = stats.AvailablePerTenThousand();
  const auto at = [&stats](uint64_t part) {
    const int64_t us = stats.latencies.Percentile(part);
    return absl::StrFormat("%d.%d", us / 1000, us % 1000 / 100);
  };
  return absl::StrFormat("  %-7s %-7s %9d %6d.%02d%% %11d %8s %8s %8s %8s\n", name, what,
                         stats.requests, available / 100, available % 100, stats.unanswered,
                         at(5'000), at(9'000), at(9'900), at(10'000));
}

std::string Json(const RequestStats& stats) {
  const LatencyHistogram& latencies = stats.latencies;
  return absl::StrCat(
      "{\"requests\":", stats.requests, ",\"ok\":", stats.ok, ",\"unanswered\":", stats.unanswered,
      ",\"p50_us\":", latencies.Percentile(5'000), ",\"p90_us\":", latencies.Percentile(9'000),
      ",\"p99_us\":", latencies.Percentile(9'900), ",\"max_us\":", latencies.Percentile(10'000),
      "}");
}

std::string Json(const std::vector<PhaseStats>& phases) {
  return absl::StrCat("[",
                      absl::StrJoin(phases, ",",
                                    [](std::string* out, const PhaseStats& phase) {
                                      absl::StrAppend(out, "{\"name\":", JsonString(phase.name),
                                                      ",\"gets\":", Json(phase.gets),
                                                      ",\"writes\":", Json(phase.writes), "}");
                                    }),
                      "]");
}

void Append(std::string* out, const RequestStats& stats) {
  for (const uint64_t number : {stats.requests, stats.ok, stats.unanswered}) {
    AppendVarint(out, number);
  }
  AppendVarint(out, stats.latencies.buckets().size());
  for (const auto& [bucket, count] : stats.latencies.buckets()) {
    AppendVarint(out, bucket);
    AppendVarint(out, count);
  }
}

RequestStats ReadStats(ByteReader& reader) {
  RequestStats stats;
  stats.requests = reader.ReadVarint();
  stats.ok = reader.ReadVarint();
  stats.unanswered = reader.ReadVarint();
  std::map<uint64_t, uint64_t> buckets;
  const uint64_t size = reader.ReadVarint();
  for (uint64_t i = 0; i < size && !reader.failed(); ++i) {
    const uint64_t bucket = reader.ReadVarint();
    buckets[bucket] = reader.ReadVarint();
  }
  stats.latencies = LatencyHistogram::Of(std::move(buckets));
  return stats;
}

}  // namespace

void LatencyHistogram::Add(int64_t latency_us) { ++buckets_[BucketOf(latency_us)]; }

void LatencyHistogram::Add(const LatencyHistogram& other) {
  for (const auto& [bucket, count] : other.buckets_) buckets_[bucket] += count;
}

LatencyHistogram LatencyHistogram::Of(std::map<uint64_t, uint64_t> buckets) {
  LatencyHistogram histogram;
  histogram.buckets_ = std::move(buckets);
  return histogram;
}

uint64_t LatencyHistogram::count() const {
  uint64_t sum = 0;
  for (const auto& [bucket, count] : buckets_) sum += count;
  return sum;
}

int64_t LatencyHistogram::Percentile(uint64_t per_ten_thousand) const {
  CORE_CHECK(per_ten_thousand <= 10'000);
  const uint64_t wanted = (count() * per_ten_thousand + 9'999) / 10'000;
  uint64_t sum = 0;
  for (const auto& [bucket, count] : buckets_) {
    sum += count;
    if (sum >= wanted) return TopOf(bucket);
  }
  return 0;
}

void RequestStats::Add(const RequestStats& other) {
  requests += other.requests;
  ok += other.ok;
  unanswered += other.unanswered;
  latencies.Add(other.latencies);
}

uint64_t RequestStats::AvailablePerTenThousand() const {
  return requests == 0 ? 0 : ok * 10'000 / requests;
}

void RunPhases::Add(const RunPhases& other) {
  AddAll(other.phases, &phases);
  AddAll(other.seconds, &seconds);
}

std::string ToText(const RunPhases& phases) {
  std::string text = absl::StrFormat("  %-15s %9s %10s %11s %8s %8s %8s %8s\n", "faults",
                                     "requests", "ok", "unanswered", "p50 ms", "p90", "p99", "max");
  for (const PhaseStats& phase : phases.phases) {
    text += Row(phase.name, "gets", phase.gets);
    text += Row(phase.name, "writes", phase.writes);
  }
  return text;
}

std::string ToJson(const RunPhases& phases) {
  return absl::StrCat("{\"phases\":", Json(phases.phases), ",\"seconds\":", Json(phases.seconds),
                      "}");
}

std::string Encode(const RunPhases& phases) {
  std::string out;
  for (const auto* const list : {&phases.phases, &phases.seconds}) {
    AppendVarint(&out, list->size());
    for (const PhaseStats& stats : *list) {
      AppendBytes(&out, stats.name);
      Append(&out, stats.gets);
      Append(&out, stats.writes);
    }
  }
  return out;
}

RunPhases DecodePhases(const std::string& bytes) {
  ByteReader reader(bytes);
  RunPhases phases;
  for (auto* const list : {&phases.phases, &phases.seconds}) {
    const uint64_t size = reader.ReadVarint();
    for (uint64_t i = 0; i < size && !reader.failed(); ++i) {
      PhaseStats stats;
      stats.name = std::string(reader.ReadBytes());
      stats.gets = ReadStats(reader);
      stats.writes = ReadStats(reader);
      list->push_back(std::move(stats));
    }
  }
  CORE_CHECK(reader.Done());
  return phases;
}

}  // namespace norn::sim
