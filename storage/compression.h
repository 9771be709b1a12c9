// How the bytes of a block are made fewer. Which blocks, and whether it is worth it:
// table_format.h.
//
//   lz4   := expanded_size:varint block     (LZ4's block format)
//   zstd  := frame                          (Zstandard's, RFC 8878, with its content's size)
//
// Pure functions; Expand is safe on hostile bytes, and allocates nothing for a size that such few
// bytes cannot have. Threads: any.

#ifndef NORN_STORAGE_COMPRESSION_H_
#define NORN_STORAGE_COMPRESSION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace norn::storage {

// Numbers on the disk: they stay.
enum class Compression : uint8_t { kNone = 0, kLz4 = 1, kZstd = 2 };

// No payload is larger: an upper bound for what a damaged size can make us allocate.
inline constexpr uint64_t kPayloadBytesMax = 256u << 20;

// At most kPayloadBytesMax bytes. kNone: as they are.
std::string Compress(Compression compression, absl::string_view payload);
// Nothing if `stored` is not what Compress makes.
std::optional<std::string> Expand(Compression compression, absl::string_view stored);

// "none", "lz4", "zstd"; "" for no number of these.
absl::string_view CompressionName(Compression compression);
// Nothing for any other word.
std::optional<Compression> ParseCompression(absl::string_view name);

}  // namespace norn::storage

#endif  // NORN_STORAGE_COMPRESSION_H_
