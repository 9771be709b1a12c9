// What a cluster and a node are told at their start: plain values, in core's units.
// node/config turns a textproto into these and names the line of what is wrong.

#ifndef NORN_CORE_CONFIG_H_
#define NORN_CORE_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/types.h"

namespace norn {

// A named configuration of keys. R and W count replicas; N is per cluster for now.
struct BucketConfig {
  BucketId id = 0;
  std::string name = "default";
  int n = 3;      // replicas of each key, 1 to 9
  int r = 2;      // replies a read waits for, r_min to n
  int w = 2;      // durable copies a write waits for, w_min to n
  int r_min = 0;  // the least R a request may ask for; 0: r. A read's answer is durable on
                  // n - r_min + 1 replicas before it is given, if r_min + w_min > n
  int w_min = 0;  // the least W a request may ask for; 0: w

  int RMin() const { return r_min == 0 ? r : r_min; }
  int WMin() const { return w_min == 0 ? w : w_min; }
};

struct MemberConfig {
  NodeId id = kNoNode;
  std::string address;  // of the peer port, "host:port"; opaque to the core
  std::string zone;     // replicas of a key go to distinct zones where there are enough
  uint32_t weight = 1;  // share of partitions
};

struct ClusterConfig {
  std::string name;           // nodes of differently named clusters refuse each other
  uint32_t partitions = 256;  // Q, fixed at creation; a power of two, 1 to 16384
  std::vector<MemberConfig> members;
  std::vector<BucketConfig> buckets = {BucketConfig{}};
  std::string secret;  // authenticates context tokens; the same on every node
};

struct NodeOptions {
  NodeId id = kNoNode;

  size_t key_bytes_max = 16u << 10;
  size_t value_bytes_max = 1u << 20;
  size_t siblings_max = 64;  // concurrent values of one key; minting past it is refused
  size_t requests_in_flight_max = 65536;  // client requests coordinated at once

  int64_t request_timeout_us = 2'000'000;  // default and greatest of a client request
  int64_t gossip_interval_us = 500'000;
  int64_t suspect_after_us = 3'000'000;     // a heartbeat that has not risen for so long
  int64_t speculate_after_us = 20'000;      // a read asks its spare replicas after so long
  int64_t exchange_interval_us = 200'000;   // pause between two exchanges with other replicas
  size_t exchange_page_entries = 512;       // keys compared per message
  size_t exchange_page_bytes = 256u << 10;  // records sent per message
  // What exchanges may send, and be sent in answer, per second.
  uint64_t exchange_bytes_per_second = 32u << 20;
  // What may be read per second to build Merkle trees; a scrub of them reads a 16th of it.
  uint64_t tree_scan_bytes_per_second = 32u << 20;
  int64_t tree_save_after_us = 5'000'000;  // trees are saved when nothing was written for so long
  uint64_t tree_bucket_keys = 500;         // a bucket of a Merkle tree, when it is built, at most
  int64_t tree_scrub_interval_us = 10'000'000;  // pause between scrubs of two trees; 0: no scrubs
  uint64_t lease_counters = 4096;               // dots a partition may mint per durable lease
};

// OK, or what is impossible and how to mend it: W above N, an unknown own id, two
// members with one id, Q no power of two.
absl::Status Validate(const ClusterConfig& cluster, const NodeOptions& node);

}  // namespace norn

#endif  // NORN_CORE_CONFIG_H_
