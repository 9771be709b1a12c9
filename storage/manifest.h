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
//          | 15 table:varint offset:varint   the block counts as absent from now on
//          | 16 0:byte from:bytes until:bytes sequence:varint table:varint reason:bytes
//                                            quarantine added: quarantine.h
//          | 16 1:byte from:bytes until:bytes sequence:varint          lifted
//          | 9 from:bytes to:bytes sequence:varint       a range dropped (range_drops.h)
//          | 10 from:bytes to:bytes sequence:varint      nothing is left below that drop
//          | 11 sequence:varint              this is a checkpoint, of writes up to it
//
// Within an edit tables are dropped before others are added, and quarantines are lifted before
// others are added. The first record of a manifest is a snapshot: an edit of the empty state.
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
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/quarantine.h"
#include "storage/range_drops.h"
#include "storage/table_meta.h"

namespace norn::storage {

// Version of the directory as a whole; earlier releases refuse it.
// 2: logs and tables may hold deletions.
// 3: records are ordered by their position within the partition (record_storage.h).
inline constexpr uint32_t kStorageFormat = 3;
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
  struct GivenUpBlock {
    uint64_t table = 0;
    uint64_t offset = 0;
  };
  struct LiftedQuarantine {
    std::string from;
    std::string until;  // "": no bound
    uint64_t sequence = 0;
  };
  std::optional<uint64_t> flushed_sequence;
  std::optional<uint64_t> next_file_number;
  std::vector<WalRef> added_wals;
  std::vector<uint64_t> dropped_wals;
  std::vector<AddedTable> added_tables;
  std::vector<DroppedTable> dropped_tables;
  std::optional<bool> suspect;
  std::optional<uint64_t> lost_from;
  std::vector<GivenUpBlock> given_up;  // of tables that are gone by now: without effect
  std::vector<LiftedQuarantine> lifted;
  std::vector<Quarantine> quarantined;
  std::vector<RangeDrop> added_drops;
  std::vector<RangeDrop> settled_drops;
  std::optional<uint64_t> checkpoint;
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
  // Offsets of blocks that count as absent, ascending, by the number of their table.
  std::map<uint64_t, std::vector<uint64_t>> given_up;
  QuarantineSet quarantine;
  std::vector<RangeDrop> drops;
  // A checkpoint that no engine has opened yet: it names no logs, and what came after this
  // write is not in it.
  std::optional<uint64_t> checkpoint;

  // False if the edit does not fit: it drops what is not there, or adds what is.
  bool Apply(const VersionEdit& edit);

 private:
  void ApplyDamage(const VersionEdit& edit);
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
