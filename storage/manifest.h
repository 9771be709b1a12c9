// The manifest: which files make up the store. A record log (record_log.h) of version
// edits, and CURRENT, which names the manifest that counts.
//
//   edit  := field*
//   field := 1 flushed_sequence:varint       writes up to it are in tables
//          | 2 next_file_number:varint
//          | 3 wal:varint file_id:fixed64 first_sequence:varint       added
//          | 4 wal:varint                                              dropped
//          | 5 level:varint table:varint file_id:fixed64 bytes:varint entries:varint
//              smallest:bytes largest:bytes smallest_sequence:varint
//              largest_sequence:varint                                 added
//          | 6 level:varint table:varint                               dropped
//          | 7 suspect:byte                  see RecoveryReport
//          | 8 lost_from:varint              0: nothing
//
// Within an edit tables are dropped before others are added. The first record of a
// manifest is a snapshot: an edit of the empty state.
//
//   CURRENT := "norn storage\n" "format N\n" "owner O\n" "manifest N\n" "crc HEX\n"
//
// O is escaped as in C. The CRC-32C is of the lines before it.
//
// Order of syncs: the files that an edit names are synced, then their directory, then the
// edit is appended and synced; a new manifest is synced, then the directory, then the
// temporary CURRENT, then renamed, then the directory again. Only then may the files that
// the edit drops be removed.

#ifndef NORN_STORAGE_MANIFEST_H_
#define NORN_STORAGE_MANIFEST_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/table_meta.h"

namespace norn::storage {

// Version of the directory as a whole.
// 2: records are ordered by their position within the partition (record_storage.h).
inline constexpr uint32_t kStorageFormat = 2;
inline constexpr int kLevels = 7;

struct WalRef {
  uint64_t number = 0;
  uint64_t file_id = 0;
  uint64_t first_sequence = 0;

  bool operator==(const WalRef&) const = default;
};

struct VersionEdit {
  struct AddedTable {
    int level = 0;
    TableMeta meta;
  };
  struct DroppedTable {
    int level = 0;
    uint64_t number = 0;
  };
  std::optional<uint64_t> flushed_sequence;
  std::optional<uint64_t> next_file_number;
  std::vector<WalRef> added_wals;
  std::vector<uint64_t> dropped_wals;
  std::vector<AddedTable> added_tables;
  std::vector<DroppedTable> dropped_tables;
  std::optional<bool> suspect;
  std::optional<uint64_t> lost_from;
};

std::string EncodeEdit(const VersionEdit& edit);
std::optional<VersionEdit> DecodeEdit(absl::string_view body);

// What the edits add up to.
struct VersionState {
  uint64_t flushed_sequence = 0;
  uint64_t next_file_number = 1;
  std::vector<WalRef> wals;                            // oldest first
  std::array<std::vector<TableMeta>, kLevels> levels;  // in the order they were added
  bool suspect = false;
  uint64_t lost_from = 0;

  // False if the edit does not fit: it drops what is not there, or adds what is.
  bool Apply(const VersionEdit& edit);
};

// The state that the bytes of manifest `path` describe. A torn tail is cut: nothing that
// was acknowledged depends on it. kDataLoss if the manifest is damaged,
// kFailedPrecondition if a later release wrote it.
absl::StatusOr<VersionState> ReadManifest(const std::string& path, absl::string_view bytes);

struct Current {
  std::string owner;
  uint64_t manifest = 0;
};

std::string EncodeCurrent(const Current& current);
// Errors as ReadManifest; `path` is for their messages.
absl::StatusOr<Current> DecodeCurrent(const std::string& path, absl::string_view bytes);

}  // namespace norn::storage

#endif  // NORN_STORAGE_MANIFEST_H_
