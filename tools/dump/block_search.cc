#include "tools/dump/block_search.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "core/crc32c.h"
#include "storage/block.h"
#include "storage/table_format.h"

namespace norn::dump {
namespace {

constexpr size_t kChunkBytes = 64u << 10;
constexpr size_t kCrcBytes = 4;

// What the CRC of every block starts with: the file and the place.
uint32_t PlaceCrc(uint64_t file_id, uint64_t offset) {
  char place[16];
  StoreFixed64(place, file_id);
  StoreFixed64(place + 8, offset);
  return Crc32c(absl::string_view(place, sizeof(place)));
}

// A checksum of 32 bits agrees by chance, sooner or later.
bool IsDataBlock(absl::string_view stored, uint64_t file_id, uint64_t offset) {
  std::optional<std::string> payload = storage::ExtractBlock(stored, file_id, offset);
  return payload.has_value() && storage::Block::Parse(std::move(*payload)) != nullptr;
}

}  // namespace

std::optional<storage::BlockHandle> FindBlock(const TableFile& table, uint64_t file_id,
                                              uint64_t offset, uint64_t limit) {
  if (offset >= limit) return std::nullopt;
  limit = std::min(limit, offset + storage::kPayloadBytesMax + storage::kBlockTrailerBytes);
  uint32_t crc = PlaceCrc(file_id, offset);
  std::string bytes;   // of the file from `offset` on
  size_t checked = 0;  // the CRC covers this many of them
  while (offset + bytes.size() < limit) {
    const size_t begin = bytes.size();
    const auto n = static_cast<size_t>(std::min<uint64_t>(kChunkBytes, limit - offset - begin));
    bytes.resize(begin + n);
    if (!table.file->Read(offset + begin, n, bytes.data() + begin).ok()) return std::nullopt;
    for (; checked + 1 + kCrcBytes <= bytes.size(); ++checked) {
      crc = ExtendCrc32c(crc, absl::string_view(bytes).substr(checked, 1));
      if (LoadFixed32(bytes.data() + checked + 1) != crc) continue;
      const absl::string_view stored = absl::string_view(bytes).substr(0, checked + 1 + kCrcBytes);
      if (!IsDataBlock(stored, file_id, offset)) continue;
      return storage::BlockHandle{.offset = offset,
                                  .size = stored.size() - storage::kBlockTrailerBytes};
    }
  }
  return std::nullopt;
}

}  // namespace norn::dump
