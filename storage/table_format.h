// The layout of a table file (SSTable).
//
//   table      := (data* partition)* filter index properties footer      of format 3
//               | data* filter index properties footer                   of formats 1 and 2
//   data, partition, filter, index, properties :=
//                 payload compression:byte crc:fixed32
//   footer     := filter:handle index:handle properties:handle
//                 number:fixed64 file_id:fixed64 format:fixed32 crc:fixed32 magic[8]
//   handle     := offset:fixed64 size:fixed64     (in data's index entries: two varints)
//
//   payload    of data, partition and index: a block (block.h); of filter: bloom.h; of
//              properties: (name:bytes value:bytes)*, names ascending, unknown names to be skipped
//   size       of the payload; compression and crc follow it
//   crc        CRC-32C of file_id, offset, payload, compression. So a block that was
//              written to, or read from, the wrong place or the wrong file is noticed, as is
//              one that is left from an earlier life of the same place
//   footer's crc: of what stands before it
//   index      of formats 1 and 2: one entry a data block: a key that is >= its last key and
//              below the first key of the next block
//   partition  a part of such an index: of the data blocks that stand between the partition
//              before it and itself
//   index      of format 3: one entry a partition: the partition's last key. So the index that
//              stays in memory is small, and partitions come and go as data blocks do
//
// Pure functions over bytes; safe on hostile ones.

#ifndef NORN_STORAGE_TABLE_FORMAT_H_
#define NORN_STORAGE_TABLE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/compression.h"

namespace norn::storage {

// 2: entries may be deletions, blocks may be compressed with Zstd. 3: the index has two levels. A
// table is written in the oldest format that can say what it is: 2, where one partition is enough.
inline constexpr uint32_t kTableFormat = 3;  // the newest that is read
inline constexpr uint32_t kTableFormatOfOneLevel = 2;
inline constexpr size_t kFooterBytes = 80;
inline constexpr size_t kBlockTrailerBytes = 5;

struct BlockHandle {
  uint64_t offset = 0;
  uint64_t size = 0;

  uint64_t end() const { return offset + size + kBlockTrailerBytes; }
};

std::string EncodeHandle(const BlockHandle& handle);
std::optional<BlockHandle> DecodeHandle(absl::string_view bytes);

struct Footer {
  BlockHandle filter;
  BlockHandle index;
  BlockHandle properties;
  uint64_t number = 0;
  uint64_t file_id = 0;
  uint32_t format = kTableFormatOfOneLevel;

  bool has_partitions() const { return format > kTableFormatOfOneLevel; }
};

std::string EncodeFooter(const Footer& footer);
// `bytes` are the last kFooterBytes of a file of `file_bytes` bytes. Errors: kDataLoss;
// kFailedPrecondition for the format of a later release.
absl::StatusOr<Footer> DecodeFooter(absl::string_view bytes, uint64_t file_bytes);

// Appends payload and trailer to `*out`, the place `offset` of file `file_id`. With
// a `compression` the payload is stored compressed if that saves an eighth.
void AppendBlock(absl::string_view payload, Compression compression, uint64_t file_id,
                 uint64_t offset, BlockHandle* handle, std::string* out);

// The payload of the block at `offset`, from its stored bytes (handle.size +
// kBlockTrailerBytes of them). Nothing if the checksum or the compression is bad.
std::optional<std::string> ExtractBlock(absl::string_view stored, uint64_t file_id,
                                        uint64_t offset);
// The same without a copy, where the block is not compressed.
std::optional<std::string> TakeBlock(std::string&& stored, uint64_t file_id, uint64_t offset);

}  // namespace norn::storage

#endif  // NORN_STORAGE_TABLE_FORMAT_H_
