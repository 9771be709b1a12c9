// Where the nodes of a described run are, and how long messages take between those places.

#ifndef NORN_SIM_ENVIRONMENT_TOPOLOGY_H_
#define NORN_SIM_ENVIRONMENT_TOPOLOGY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/config.h"
#include "sim/environment/file_place.h"
#include "sim/scenario.pb.h"
#include "sim/sim_network.h"

namespace norn::sim {

// Zones and data centers by name. A zone of a data center is "east/1".
class Places {
 public:
  explicit Places(const ClusterConfig& cluster);

  // Ascending; empty: no place has this name.
  std::vector<NodeId> NodesAt(const std::string& name) const;
  // "east, east/1, west": for errors.
  std::string Names() const;

 private:
  std::map<std::string, std::vector<NodeId>> nodes_;
};

// The members of the data centers, in the order of the file, in the place of those that `cluster`
// has; the same ones if the file names none. Refuses data centers without nodes or with more zones
// than nodes, doubled names, and fewer nodes than replicas of a key.
absl::Status TakeMembers(const v1::ScenarioCluster& from, const FilePlace& place,
                         ClusterConfig* cluster);

// An entry for each ordered pair of nodes that some link is about; of several the last holds.
absl::Status TakeLinks(const v1::Scenario& script, const FilePlace& place,
                       const ClusterConfig& cluster, std::vector<LinkDelay>* links);

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_TOPOLOGY_H_
