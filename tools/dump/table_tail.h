// The part of a table inspection that reads what stands behind the data: footer, filter,
// index, properties.

#ifndef NORN_TOOLS_DUMP_TABLE_TAIL_H_
#define NORN_TOOLS_DUMP_TABLE_TAIL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/block.h"
#include "storage/file_system.h"
#include "storage/table_format.h"
#include "storage/table_meta.h"
#include "tools/dump/console.h"
#include "tools/dump/table_inspector.h"

namespace norn::dump {

// A table file, open, and whom to tell what is wrong with it.
struct TableFile {
  std::string path;
  std::unique_ptr<storage::RandomAccessFile> file;
  FindingSink report;

  void Damage(uint64_t offset, const std::string& what) const;
};

// The payload of the block at `handle`; nothing if it is bad, which `block` then says and
// has been reported under `name`.
std::optional<std::string> ReadStoredBlock(const TableFile& table, uint64_t file_id,
                                           const storage::BlockHandle& handle,
                                           const std::string& name, StoredBlock* block);

// What stands in front of the filter.
struct IndexEntry {
  enum class Kind {
    kData,
    kPartition,     // of the index, behind the data that it names
    kBadPartition,  // the same; what it named stands in front of it, and is not in the list
  };

  std::string separator;  // >= the last key of data, below the next block's first
  storage::BlockHandle handle;
  Kind kind = Kind::kData;
};

struct TailContents {
  TableTail tail;
  std::optional<std::string> filter;
  // Nothing: the index, or the upper level of it, is bad. In the order of the index; it may lie.
  std::optional<std::vector<IndexEntry>> index;
  bool properties_good = false;
};

// Nothing if not even the footer can be made out: that has been reported.
std::optional<TailContents> ReadTail(const TableFile& table,
                                     const std::optional<storage::TableMeta>& expected);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_TABLE_TAIL_H_
