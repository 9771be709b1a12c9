// The state of a node as INFO shows it: sections of lines "name:value\n".
//
// Names are lower case with underscores and stay; a program may read them. A value is one line.

#ifndef NORN_NODE_INFO_H_
#define NORN_NODE_INFO_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/config.h"
#include "core/node.h"
#include "net/tcp_bus.h"
#include "storage/engine.h"

namespace norn::node {

// What the node's surroundings know.
struct ServerFacts {
  std::string cluster;
  std::string client_address;
  std::string peer_address;
  std::string data_dir;
  std::string config_path;
  int64_t started_us = 0;  // monotonic
  uint64_t notes_suppressed = 0;
};

struct StorageFacts {
  storage::EngineStats stats;
  absl::Status health;  // not OK: writes are refused, and why
  storage::RecoveryReport recovery;
  int write_debt = 0;  // Engine::write_debt()
  uint64_t delayed_replies = 0;
  size_t cached_records = 0;
  size_t cached_record_bytes = 0;
  uint64_t cache_hits = 0;
  uint64_t cache_misses = 0;
  size_t jobs_outstanding = 0;
};

std::string ServerInfo(const ServerFacts& facts, const NodeStatus& status, int64_t now_us);
std::string ClusterInfo(const ServerFacts& facts, const NodeStatus& status, const net::TcpBus& bus);
std::string BucketsInfo(const ClusterConfig& cluster);
std::string StatsInfo(const NodeStatus& status);
std::string StorageInfo(const StorageFacts& facts);

}  // namespace norn::node

#endif  // NORN_NODE_INFO_H_
