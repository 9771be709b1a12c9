// A checksummed, append-only log of records: the common ground of WAL and manifest.
//
//   log    := header record* zero*
//   header := magic[8] format:fixed32 number:fixed64 file_id:fixed64 crc:fixed32
//   record := size:fixed32 synced:fixed64 body_crc:fixed32 head_crc:fixed32 body[size]
//
//   number    the number in the file's name
//   file_id   random; every CRC of a record covers it and the record's offset, so that
//             a record of another file, or one from elsewhere in this file, never passes
//   synced    bytes of this file that were known durable when the record was written
//   crc       CRC-32C of what stands before it
//   body_crc  CRC-32C of file_id, offset and body
//   head_crc  CRC-32C of file_id, offset and the three fields before it
//
// Torn or damaged? A write that was cut by a crash and bits that rotted look the same.
// `synced` tells them apart where that is possible: a record that is bad although a
// later one vouches that its bytes had been synced is damage, and data that was
// acknowledged is gone. A bad record that nothing vouches for is a torn tail: whatever
// it held was, as far as this file knows, never acknowledged. (Heads carry a CRC of
// their own so that a later head can vouch even if its body was torn.)
//
// Pure functions over bytes: no I/O. Reading is safe on hostile bytes, and linear in
// the size of the file.

#ifndef NORN_STORAGE_RECORD_LOG_H_
#define NORN_STORAGE_RECORD_LOG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::storage {

enum class LogKind { kWal, kManifest };

inline constexpr uint32_t kLogFormat = 1;
inline constexpr size_t kLogHeaderBytes = 32;
inline constexpr size_t kRecordHeadBytes = 20;

// Writes the bytes of one log; it knows where in the file it is.
class LogEncoder {
 public:
  LogEncoder(LogKind kind, uint64_t number, uint64_t file_id)
      : kind_(kind), number_(number), file_id_(file_id) {}

  // Must come first, once.
  void AppendHeader(std::string* out);

  // Fills in the head of `*record`, whose first kRecordHeadBytes bytes were left free
  // for it: a large body is not copied.
  void SealRecord(std::string* record);
  void AppendRecord(absl::string_view body, std::string* out);

  // All that was encoded so far is now durable.
  void MarkSynced() { synced_ = offset_; }

  uint64_t number() const { return number_; }
  uint64_t file_id() const { return file_id_; }
  uint64_t offset() const { return offset_; }
  uint64_t synced() const { return synced_; }

 private:
  LogKind kind_;
  uint64_t number_;
  uint64_t file_id_;
  uint64_t offset_ = 0;
  uint64_t synced_ = 0;
};

struct LogContents {
  enum class Verdict {
    kClean,    // every byte belongs to a good record
    kTorn,     // a bad tail that nothing vouches for
    kDamaged,  // bytes are bad that had been synced, as a later record says
    kNoLog,    // the header is missing or bad
    kNewer,    // a format of a later release
  };
  struct Record {
    uint64_t offset = 0;
    absl::string_view body;  // points into the file's bytes
  };
  Verdict verdict = Verdict::kClean;
  uint32_t format = 0;
  uint64_t number = 0;
  uint64_t file_id = 0;
  uint64_t good_bytes = 0;  // up to the first bad byte, or the file's size
  // The good ones, in order. After damage reading goes on behind it: what follows is
  // as good as before. `records_before_damage` counts those up to the first bad byte.
  std::vector<Record> records;
  size_t records_before_damage = 0;
};

// Reads the bytes of a whole file. With `expected_id` a bad header is damage like any
// other, and the records behind it are still found; a header of another id is kNoLog.
// `vouched_bytes` is what other files say about how much of this one was synced.
LogContents ReadLog(LogKind kind, absl::string_view file, std::optional<uint64_t> expected_id,
                    uint64_t vouched_bytes);

}  // namespace norn::storage

#endif  // NORN_STORAGE_RECORD_LOG_H_
