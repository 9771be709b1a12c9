// Reads a table (storage/table_format.h) from end to end, as the engine never does: goes on
// behind what is bad, and checks what the engine takes for granted.
//
// Checked: the checksum and form of every block; that blocks, and the partitions of the index
// among them, fill the file without gaps;
// that keys ascend within and across blocks and agree with the index; that every key passes
// the filter and is found by search in its block; that the properties are true; and, with an
// expectation, that this is the very table that the manifest names.
//
// Memory: a block at a time, and filter, index and properties.

#ifndef NORN_TOOLS_DUMP_TABLE_INSPECTOR_H_
#define NORN_TOOLS_DUMP_TABLE_INSPECTOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/table_format.h"
#include "storage/table_meta.h"
#include "tools/dump/console.h"

namespace norn::dump {

// A block as it lies in the file.
struct StoredBlock {
  enum class State { kGood, kUnreadable, kBadChecksum, kMalformed };

  storage::BlockHandle handle;
  State state = State::kGood;
  std::optional<uint8_t> compression;  // nothing: unreadable
  uint64_t payload_bytes = 0;          // expanded; 0 unless the checksum is good
  uint64_t entries = 0;                // of data, index and its partitions
};

// What stands behind the data.
struct TableTail {
  uint64_t file_bytes = 0;
  storage::Footer footer;
  bool footer_good = false;  // false: read all the same, and possibly wrong
  StoredBlock filter;
  int filter_probes = 0;
  StoredBlock index;                    // the upper level, where there are two
  std::vector<StoredBlock> partitions;  // the lower one
  StoredBlock properties;
  // As the properties say, and the footer (number, file_id).
  storage::TableMeta meta;
  uint64_t key_bytes = 0;
  uint64_t value_bytes = 0;
};

// What is told on the way; any may be empty.
struct TableHooks {
  std::function<void(const TableTail&)> tail;
  std::function<void(uint64_t number, const StoredBlock&)> block;  // before its entries
  // Nothing as `value`: a deletion.
  std::function<void(absl::string_view key, uint64_t sequence,
                     std::optional<absl::string_view> value)>
      entry;
  FindingSink report;  // not empty
};

struct TableReport {
  bool opened = false;
  uint64_t file_bytes = 0;
  uint64_t blocks = 0;  // of data
  uint64_t bad_blocks = 0;
  uint64_t entries = 0;  // in good blocks
};

TableReport InspectTable(storage::FileSystem* file_system, const std::string& path,
                         const std::optional<storage::TableMeta>& expected,
                         const TableHooks& hooks);

absl::string_view StateName(StoredBlock::State state);
std::string CompressionName(uint8_t compression);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_TABLE_INSPECTOR_H_
