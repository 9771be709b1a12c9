// What the manifest says about a table, and the builder found out while writing it.

#ifndef NORN_STORAGE_TABLE_META_H_
#define NORN_STORAGE_TABLE_META_H_

#include <cstdint>
#include <string>

namespace norn::storage {

struct TableMeta {
  uint64_t number = 0;   // of the file's name
  uint64_t file_id = 0;  // random: the salt of its checksums
  uint64_t bytes = 0;    // of the file
  uint64_t entries = 0;
  std::string smallest;  // first and last key
  std::string largest;
  uint64_t smallest_sequence = 0;
  uint64_t largest_sequence = 0;

  bool operator==(const TableMeta&) const = default;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_TABLE_META_H_
