#include "storage/compression.h"

#include <cstddef>
#include <memory>

#include "core/check.h"
#include "core/coding.h"
#include "lz4.h"
#include "zstd.h"

namespace norn::storage {
namespace {

// Higher ones gain a few percent on blocks of some kilobytes, and cost several times as much.
constexpr int kZstdLevel = 1;

std::string CompressLz4(absl::string_view payload) {
  std::string compressed;
  AppendVarint(&compressed, payload.size());
  const size_t head = compressed.size();
  const int size = static_cast<int>(payload.size());
  compressed.resize(head + static_cast<size_t>(LZ4_compressBound(size)));
  const int written = LZ4_compress_default(payload.data(), compressed.data() + head, size,
                                           static_cast<int>(compressed.size() - head));
  CORE_CHECK(written > 0);
  compressed.resize(head + static_cast<size_t>(written));
  return compressed;
}

std::optional<std::string> ExpandLz4(absl::string_view compressed) {
  ByteReader reader(compressed);
  const uint64_t size = reader.ReadVarintUpTo(kPayloadBytesMax);
  // LZ4 expands at most 255 times: do not allocate for a size that cannot be.
  if (reader.failed() || size > 255 * uint64_t{compressed.size()}) return std::nullopt;
  std::string payload(static_cast<size_t>(size), '\0');
  const int written =
      LZ4_decompress_safe(reader.rest().data(), payload.data(),
                          static_cast<int>(reader.rest().size()), static_cast<int>(size));
  if (written < 0 || static_cast<uint64_t>(written) != size) return std::nullopt;
  return payload;
}

// Work space of more than 100 KiB, which is not to be allocated for every block. It carries
// nothing from one call to the next.
struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::string CompressZstd(absl::string_view payload) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeZstd> context(ZSTD_createCCtx());
  CORE_CHECK(context != nullptr);
  std::string compressed(ZSTD_compressBound(payload.size()), '\0');
  const size_t written = ZSTD_compressCCtx(context.get(), compressed.data(), compressed.size(),
                                           payload.data(), payload.size(), kZstdLevel);
  CORE_CHECK(ZSTD_isError(written) == 0);
  compressed.resize(written);
  return compressed;
}

std::optional<std::string> ExpandZstd(absl::string_view compressed) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeZstd> context(ZSTD_createDCtx());
  CORE_CHECK(context != nullptr);
  const uint64_t size = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  // A frame's block takes three bytes at least, and expands to 128 KiB at most.
  constexpr uint64_t kFrameBlockBytes = 128u << 10;
  const uint64_t most = (compressed.size() / 3 + 1) * kFrameBlockBytes;
  // The values for "unknown" and "malformed" are above all sizes.
  if (size > kPayloadBytesMax || size > most) return std::nullopt;
  std::string payload(static_cast<size_t>(size), '\0');
  const size_t written = ZSTD_decompressDCtx(context.get(), payload.data(), payload.size(),
                                             compressed.data(), compressed.size());
  if (ZSTD_isError(written) != 0 || written != payload.size()) return std::nullopt;
  return payload;
}

}  // namespace

std::string Compress(Compression compression, absl::string_view payload) {
  CORE_CHECK(payload.size() <= kPayloadBytesMax);
  switch (compression) {
    case Compression::kNone:
      break;
    case Compression::kLz4:
      return CompressLz4(payload);
    case Compression::kZstd:
      return CompressZstd(payload);
  }
  return std::string(payload);
}

std::optional<std::string> Expand(Compression compression, absl::string_view stored) {
  switch (compression) {
    case Compression::kNone:
      return std::string(stored);
    case Compression::kLz4:
      return ExpandLz4(stored);
    case Compression::kZstd:
      return ExpandZstd(stored);
  }
  return std::nullopt;
}

absl::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kLz4:
      return "lz4";
    case Compression::kZstd:
      return "zstd";
  }
  return "";
}

std::optional<Compression> ParseCompression(absl::string_view name) {
  for (const Compression known : {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    if (name == CompressionName(known)) return known;
  }
  return std::nullopt;
}

}  // namespace norn::storage
