// What a write-ahead log (storage/wal.h) holds, and whether its writes follow each other.
// Pure functions over bytes.

#ifndef NORN_TOOLS_DUMP_WAL_INSPECTOR_H_
#define NORN_TOOLS_DUMP_WAL_INSPECTOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/wal.h"
#include "tools/dump/console.h"
#include "tools/dump/log_inspector.h"

namespace norn::dump {

struct WalGroupFacts {
  uint64_t offset = 0;
  uint64_t bytes = 0;   // of the record, head and all
  uint64_t synced = 0;  // bytes of the file that were durable when it was written
  uint64_t first_sequence = 0;
  uint32_t entries = 0;
  bool malformed = false;
};

// What is told on the way; any may be empty.
struct WalHooks {
  std::function<void(const LogReport&)> head;
  std::function<void(uint64_t offset, const storage::WalOpening&)> opening;
  std::function<void(const WalGroupFacts&)> group;  // before its entries
  // Nothing as `value`: a deletion.
  std::function<void(uint64_t sequence, absl::string_view key,
                     std::optional<absl::string_view> value)>
      entry;
  FindingSink report;  // not empty
};

struct WalReport {
  LogReport log;
  std::optional<storage::WalOpening> opening;
  uint64_t groups = 0;
  uint64_t entries = 0;
  std::optional<uint64_t> first_sequence;  // of the first write that was found
  uint64_t next_sequence = 0;              // behind the last one; 0: not known
};

// `first_sequence`: what the manifest says the log starts with.
WalReport InspectWal(const std::string& path, absl::string_view file,
                     const LogExpectation& expectation, std::optional<uint64_t> first_sequence,
                     const WalHooks& hooks);

// The opening alone, without a word about damage.
std::optional<storage::WalOpening> FindWalOpening(absl::string_view file, uint64_t file_id);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_WAL_INSPECTOR_H_
