// How a run's clients fared over time: availability and latencies before, during and after the
// faults, and second by second. Counts and histograms, so that runs of many seeds add up.

#ifndef NORN_SIM_RUN_PHASES_H_
#define NORN_SIM_RUN_PHASES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace norn::sim {

// Latencies in microseconds. A bucket's bounds are at most a sixteenth apart, so what is read from
// it is at most that much too high.
class LatencyHistogram {
 public:
  void Add(int64_t latency_us);
  void Add(const LatencyHistogram& other);
  uint64_t count() const;
  // The least latency that `per_ten_thousand` of 10,000 do not exceed; 0 if there is none.
  int64_t Percentile(uint64_t per_ten_thousand) const;

  // Bucket to count, for who sends it somewhere.
  const std::map<uint64_t, uint64_t>& buckets() const { return buckets_; }
  static LatencyHistogram Of(std::map<uint64_t, uint64_t> buckets);

 private:
  std::map<uint64_t, uint64_t> buckets_;
};

// Requests that fell due in a time.
struct RequestStats {
  uint64_t requests = 0;
  uint64_t ok = 0;
  uint64_t unanswered = 0;     // given up
  LatencyHistogram latencies;  // of those that were ok, from when they were due

  void Add(const RequestStats& other);
  // Of 10,000 requests so many were ok; 0 if there were none.
  uint64_t AvailablePerTenThousand() const;
};

struct PhaseStats {
  std::string name;  // "before", "during", "after"; of a second: its number, from 0
  RequestStats gets;
  RequestStats writes;
};

struct RunPhases {
  std::vector<PhaseStats> phases;   // empty: nobody asked for them
  std::vector<PhaseStats> seconds;  // of virtual time, from the beginning of the run: all of it

  void Add(const RunPhases& other);
};

// A table for people.
std::string ToText(const RunPhases& phases);
// {"phases":[{"name":"before","gets":{"requests":..,"ok":..,"unanswered":..,"p50_us":..,
// "p90_us":..,"p99_us":..,"max_us":..},"writes":{..}},..],"seconds":[..]}
std::string ToJson(const RunPhases& phases);

// For the pipe between processes: the other reads what the one wrote.
std::string Encode(const RunPhases& phases);
RunPhases DecodePhases(const std::string& bytes);

}  // namespace norn::sim

#endif  // NORN_SIM_RUN_PHASES_H_
