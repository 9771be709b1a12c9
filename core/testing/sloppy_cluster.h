// A cluster with a sloppy bucket, for tests of stand-ins and their hints.

#ifndef NORN_CORE_TESTING_SLOPPY_CLUSTER_H_
#define NORN_CORE_TESTING_SLOPPY_CLUSTER_H_

#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"

namespace norn::testing {

inline constexpr int64_t kSecond = 1'000'000;
inline constexpr int64_t kSuspected = 5 * kSecond;  // long enough for the failure detector

inline MiniOptions Sloppy(int nodes = 6) {
  MiniOptions options;
  options.nodes = nodes;
  options.bucket.sloppy = true;
  options.bucket.w_min = 1;
  return options;
}

// The owners of "k" in order, and who stands in for them, in order.
struct Walk {
  explicit Walk(const MiniCluster& cluster) : owners(cluster.ReplicasOf("k")) {
    const auto span =
        cluster.layout().StandIns(cluster.PartitionOf("k"), cluster.config().buckets.front().n);
    stand_ins.assign(span.begin(), span.end());
  }
  std::vector<NodeId> owners;
  std::vector<NodeId> stand_ins;
};

inline void CrashAll(MiniCluster& cluster, const std::vector<NodeId>& nodes) {
  for (const NodeId node : nodes) cluster.Crash(node);
  cluster.Run(kSuspected);
}

inline std::vector<std::string> ValuesOf(const std::string& bytes) {
  Record record;
  EXPECT_TRUE(Record::Decode(bytes, &record));
  std::vector<std::string> values;
  for (const Version& version : record.versions()) values.push_back(version.value);
  return values;
}
}  // namespace norn::testing

#endif  // NORN_CORE_TESTING_SLOPPY_CLUSTER_H_
