// Hostile text as a configuration: refused with a text that names the file, or read to one
// that the core takes.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/config.h"
#include "node/config.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {

std::vector<std::string> FuzzSeeds() {
  const std::string cluster =
      "cluster { name: \"c\" secret: \"s\" partitions: 64\n"
      "member { id: 1 address: \"h1:1\" zone: \"a\" weight: 2 }\n"
      "member { id: 2 address: \"h2:1\" }\nmember { id: 3 address: \"[::1]:1\" }\n"
      "bucket { id: 0 name: \"default\" n: 3 r: 2 w: 2 r_min: 1 w_min: 1 } }\n";
  const std::string node = "node { id: 2 data_dir: \"data\" }\n";
  return {
      cluster + node,
      cluster +
          "node { id: 1 client_listen: \"127.0.0.1:7301\" peer_listen: \"127.0.0.1:7401\"\n"
          "data_dir: \"d\" key_bytes_max: 16384 value_bytes_max: 1048576 siblings_max: 64\n"
          "requests_in_flight_max: 65536 request_timeout_ms: 2000 speculate_after_ms: 20\n"
          "digest_above_bytes: 1024 replica_work_max: 4096\n"
          "drain_timeout_ms: 10000 gossip_interval_ms: 500 suspect_after_ms: 3000\n"
          "exchange_interval_ms: 200 lease_counters: 4096 }\n"
          "# a comment\n"
          "storage { memtable_bytes: 8388608 block_bytes: 4096 bloom_bits_per_key: 10 }\n"
          "log { level: \"info\" notes_per_second_max: 20 }\n",
      cluster + "node { id: 9 }\nstorage { block_bytes: -1 }\nlog { level: \"loud\" }\n",
      "cluster { name: \"c",
      "",
  };
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<norn::node::Config> config = norn::node::ParseConfig(text, "conf/a");
  if (config.ok()) {
    CORE_CHECK(norn::Validate(config->cluster, config->node).ok());
    return 0;
  }
  CORE_CHECK(config.status().code() == absl::StatusCode::kInvalidArgument);
  // One line for each fault, and each names the file.
  for (const absl::string_view line : absl::StrSplit(config.status().message(), '\n')) {
    CORE_CHECK(line.substr(0, 6) == "conf/a");
  }
  return 0;
}
