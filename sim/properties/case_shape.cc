#include "sim/properties/case_shape.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sim/case_edit.h"

namespace norn::sim {

namespace {

constexpr int kNodesMost = 9;

struct Bounds {
  const char* name;
  Range range;
  int64_t least;
  int64_t most;
};

std::string ToString(const Range& range) { return absl::StrCat(range.least, " to ", range.most); }

// Fewer operations than there should be clients or keys have as many as they are.
bool FitsCount(const Range& range, size_t count, const v1::Case& written) {
  const int64_t least = std::min<int64_t>(range.least, written.operation_size());
  return Range(least, range.most).Has(static_cast<int64_t>(count)) || count == 0;
}

}  // namespace

bool FitsQuorums(const TopologyShape& shape, int64_t n, int64_t r, int64_t w) {
  if (!shape.n.Has(n) || !shape.r.Has(r) || !shape.w.Has(w) || r > n || w > n) return false;
  if (shape.quorums == Quorums::kOverlap) return r + w > n;
  return shape.quorums == Quorums::kAny || r + w <= n;
}

std::string FindContradiction(const CaseShape& shape) {
  const TopologyShape& topology = shape.topology;
  const WorkloadShape& workload = shape.workload;
  const Bounds bounds[] = {
      {"topology.nodes", topology.nodes, 1, kNodesMost},
      {"topology.zones", topology.zones, 1, kNodesMost},
      {"topology.n", topology.n, 1, kNodesMost},
      {"topology.r", topology.r, 1, kNodesMost},
      {"topology.w", topology.w, 1, kNodesMost},
      {"workload.clients", workload.clients, 1, 100},
      {"workload.keys", workload.keys, 1, 1'000},
      {"workload.operations", workload.operations, 0, 10'000},
      {"workload.pause_us", workload.pause_us, 0, 60'000'000},
      {"workload.pad_bytes", workload.pad_bytes, 0, 1 << 20},
      {"faults.count", shape.faults.count, 0, 100},
      {"faults.lasting_us", shape.faults.lasting_us, 1, 60'000'000},
  };
  for (const Bounds& of : bounds) {
    if (of.range.least <= of.range.most && of.least <= of.range.least && of.range.most <= of.most)
      continue;
    return absl::StrCat(of.name, " is ", ToString(of.range), ": it must rise, and lie within ",
                        ToString(Range(of.least, of.most)));
  }
  if (workload.gets + workload.puts + workload.deletes == 0) {
    return "workload.gets, puts and deletes are all 0: give one of them a weight";
  }
  for (int64_t n = 1; n <= topology.nodes.most; ++n) {
    for (int64_t r = 1; r <= n; ++r) {
      for (int64_t w = 1; w <= n; ++w) {
        if (FitsQuorums(topology, n, r, w)) return "";
      }
    }
  }
  return absl::StrCat("topology: up to ", topology.nodes.most, " nodes, N ", ToString(topology.n),
                      ", R ", ToString(topology.r), ", W ", ToString(topology.w),
                      topology.quorums == Quorums::kOverlap   ? ", overlapping"
                      : topology.quorums == Quorums::kMayMiss ? ", not overlapping"
                                                              : "",
                      ": there are no such quorums");
}

bool Fits(const CaseShape& shape, const v1::Case& written) {
  const TopologyShape& topology = shape.topology;
  const v1::CaseBucket& bucket = written.bucket();
  std::set<std::string> zones;
  for (const v1::CaseNode& node : written.node()) zones.insert(node.zone());
  if (!topology.nodes.Has(written.node_size()) ||
      static_cast<int>(bucket.n()) > written.node_size() ||
      !FitsQuorums(topology, bucket.n(), bucket.r(), bucket.w())) {
    return false;
  }
  if (static_cast<int64_t>(zones.size()) > topology.zones.most) return false;
  if (topology.sloppy != StandIns::kEither &&
      bucket.sloppy() != (topology.sloppy == StandIns::kAlways)) {
    return false;
  }
  const WorkloadShape& workload = shape.workload;
  if (!workload.operations.Has(written.operation_size()) ||
      !FitsCount(workload.clients, ClientsOf(written).count, written) ||
      !FitsCount(workload.keys, KeysOf(written).count, written) ||
      !shape.faults.count.Has(written.fault_size())) {
    return false;
  }
  const std::vector<FaultKind>& kinds = shape.faults.kinds;
  return std::all_of(written.fault().begin(), written.fault().end(), [&](const auto& fault) {
    const auto kind = static_cast<FaultKind>(fault.kind());
    const bool chosen = kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    return chosen && Applicable(kind, written.node_size());
  });
}

bool Applicable(FaultKind kind, int nodes) { return nodes >= LeastNodes(kind); }

bool Overlapping(const v1::Case& written) {
  const v1::CaseBucket& bucket = written.bucket();
  const uint32_t r = bucket.has_r_min() ? bucket.r_min() : bucket.r();
  const uint32_t w = bucket.has_w_min() ? bucket.w_min() : bucket.w();
  return !bucket.sloppy() && r + w > bucket.n();
}

int CountOperations(const v1::Case& written, v1::ScenarioOperation::Kind kind) {
  return static_cast<int>(
      std::count_if(written.operation().begin(), written.operation().end(),
                    [kind](const v1::CaseOperation& each) { return each.kind() == kind; }));
}

int CountFaults(const v1::Case& written, FaultKind kind) {
  return static_cast<int>(std::count_if(
      written.fault().begin(), written.fault().end(),
      [kind](const v1::CaseFault& each) { return static_cast<FaultKind>(each.kind()) == kind; }));
}

}  // namespace norn::sim
