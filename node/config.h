// The configuration file of nornd: a textproto (node/config.proto) becomes the plain values
// that the core, the engine and the servers take.
//
// Invariants:
//   * a Config that was returned passes norn::Validate() (that of ParseConfig, once the secret
//     that it names a file for is there), and every number in it is in the
//     range that its user can bear: nothing behind this file checks again;
//   * an error names file, line and column (from 1), the setting, and what to do;
//   * a setting that is absent has the default that its struct declares.

#ifndef NORN_NODE_CONFIG_H_
#define NORN_NODE_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/config.h"
#include "storage/engine.h"

namespace norn::node {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

struct Config {
  ClusterConfig cluster;
  NodeOptions node;
  storage::EngineOptions engine;  // `seed` is the caller's to set
  int64_t sync_interval_us = 1'000'000;
  uint64_t scrub_bytes_per_second = 1u << 20;

  std::string client_listen = "127.0.0.1:7301";  // "host:port", as are all addresses
  std::string peer_listen;                       // default: this member's own address
  std::string secret_file;                       // ParseConfig only; LoadConfig has read it
  std::string checkpoint_dir;                    // "": NORN.CHECKPOINT is refused
  int64_t drain_timeout_us = 10'000'000;

  LogLevel log_level = LogLevel::kInfo;
  uint32_t notes_per_second_max = 20;

  // What is legal and yet unlikely to be meant; one sentence each.
  std::vector<std::string> warnings;
};

// Parses `text`, which came from `path` (for messages, and as the folder that relative paths
// in it start from). Touches no file. kInvalidArgument: one line for each fault.
absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& path);

// Reads and parses `path`, and the secret file that it names.
absl::StatusOr<Config> LoadConfig(const std::string& path);

}  // namespace norn::node

#endif  // NORN_NODE_CONFIG_H_
