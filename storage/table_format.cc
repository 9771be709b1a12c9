#include "storage/table_format.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/coding.h"
#include "core/crc32c.h"

namespace norn::storage {
namespace {

constexpr absl::string_view kMagic = "nornsst\n";

uint32_t BlockCrc(absl::string_view payload_and_compression, uint64_t file_id, uint64_t offset) {
  char place[16];
  StoreFixed64(place, file_id);
  StoreFixed64(place + 8, offset);
  return ExtendCrc32c(Crc32c(absl::string_view(place, sizeof(place))), payload_and_compression);
}

void AppendHandle(const BlockHandle& handle, std::string* out) {
  AppendFixed64(out, handle.offset);
  AppendFixed64(out, handle.size);
}

// A handle whose block lies within the first `limit` bytes.
std::optional<BlockHandle> ReadHandle(ByteReader* reader, uint64_t limit) {
  BlockHandle handle;
  handle.offset = reader->ReadFixed64();
  handle.size = reader->ReadFixed64();
  if (handle.size > kPayloadBytesMax || handle.offset > limit) return std::nullopt;
  if (handle.end() > limit) return std::nullopt;
  return handle;
}

}  // namespace

std::string EncodeHandle(const BlockHandle& handle) {
  std::string bytes;
  AppendVarint(&bytes, handle.offset);
  AppendVarint(&bytes, handle.size);
  return bytes;
}

std::optional<BlockHandle> DecodeHandle(absl::string_view bytes) {
  ByteReader reader(bytes);
  BlockHandle handle;
  handle.offset = reader.ReadVarint();
  handle.size = reader.ReadVarintUpTo(kPayloadBytesMax);
  if (!reader.Done() || handle.offset > UINT64_MAX / 2) return std::nullopt;
  return handle;
}

std::string EncodeFooter(const Footer& footer) {
  std::string bytes;
  AppendHandle(footer.filter, &bytes);
  AppendHandle(footer.index, &bytes);
  AppendHandle(footer.properties, &bytes);
  AppendFixed64(&bytes, footer.number);
  AppendFixed64(&bytes, footer.file_id);
  AppendFixed32(&bytes, footer.format);
  AppendFixed32(&bytes, Crc32c(bytes));
  bytes.append(kMagic.data(), kMagic.size());
  CORE_CHECK(bytes.size() == kFooterBytes);
  return bytes;
}

absl::StatusOr<Footer> DecodeFooter(absl::string_view bytes, uint64_t file_bytes) {
  if (bytes.size() != kFooterBytes || bytes.substr(kFooterBytes - 8) != kMagic) {
    return absl::DataLossError("no footer of a table at the file's end");
  }
  const uint32_t crc = LoadFixed32(bytes.data() + kFooterBytes - 12);
  if (crc != Crc32c(bytes.substr(0, kFooterBytes - 12))) {
    return absl::DataLossError("the footer's checksum is wrong");
  }
  const uint32_t format = LoadFixed32(bytes.data() + kFooterBytes - 16);
  if (format > kTableFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("table format ", format, " is newer than ", kTableFormat,
                     ", the newest that this program reads; run the release that wrote it"));
  }
  ByteReader reader(bytes);
  const uint64_t limit = file_bytes - kFooterBytes;
  const std::optional<BlockHandle> filter = ReadHandle(&reader, limit);
  const std::optional<BlockHandle> index = ReadHandle(&reader, limit);
  const std::optional<BlockHandle> properties = ReadHandle(&reader, limit);
  if (!filter.has_value() || !index.has_value() || !properties.has_value()) {
    return absl::DataLossError("the footer points outside the file");
  }
  Footer footer;
  footer.filter = *filter;
  footer.index = *index;
  footer.properties = *properties;
  footer.number = reader.ReadFixed64();
  footer.file_id = reader.ReadFixed64();
  footer.format = format;
  return footer;
}

void AppendBlock(absl::string_view payload, Compression compression, uint64_t file_id,
                 uint64_t offset, BlockHandle* handle, std::string* out) {
  CORE_CHECK(payload.size() <= kPayloadBytesMax);
  const size_t start = out->size();
  std::string compressed;
  if (compression != Compression::kNone) {
    compressed = Compress(compression, payload);
    if (compressed.size() <= payload.size() - payload.size() / 8) {
      payload = compressed;
    } else {
      compression = Compression::kNone;
    }
  }
  out->append(payload.data(), payload.size());
  out->push_back(static_cast<char>(compression));
  *handle = {.offset = offset, .size = payload.size()};
  AppendFixed32(out, BlockCrc(absl::string_view(*out).substr(start), file_id, offset));
}

std::optional<std::string> ExtractBlock(absl::string_view stored, uint64_t file_id,
                                        uint64_t offset) {
  return TakeBlock(std::string(stored), file_id, offset);
}

std::optional<std::string> TakeBlock(std::string&& stored_bytes, uint64_t file_id,
                                     uint64_t offset) {
  const absl::string_view stored = stored_bytes;
  if (stored.size() < kBlockTrailerBytes) return std::nullopt;
  const absl::string_view checked = stored.substr(0, stored.size() - 4);
  if (LoadFixed32(stored.data() + checked.size()) != BlockCrc(checked, file_id, offset)) {
    return std::nullopt;
  }
  const absl::string_view payload = checked.substr(0, checked.size() - 1);
  const auto compression = static_cast<Compression>(checked.back());
  if (compression != Compression::kNone) return Expand(compression, payload);
  stored_bytes.resize(payload.size());
  return std::move(stored_bytes);
}

}  // namespace norn::storage
