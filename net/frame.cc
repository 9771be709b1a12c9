#include "net/frame.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/check.h"
#include "core/coding.h"
#include "core/crc32c.h"

namespace norn::net {
namespace {

constexpr size_t kSmallestBuffer = 4096;
// What an empty parser keeps for the next read.
constexpr size_t kKeptBuffer = size_t{1} << 20;

}  // namespace

size_t BeginFrame(std::string* out) {
  const size_t begin = out->size();
  out->append(kFrameHeaderBytes, '\0');
  return begin;
}

void EndFrame(size_t begin, std::string* out) {
  CORE_CHECK(out->size() > begin + kFrameHeaderBytes);
  const absl::string_view payload = absl::string_view(*out).substr(begin + kFrameHeaderBytes);
  CORE_CHECK(payload.size() <= UINT32_MAX);
  const uint32_t crc = Crc32c(payload);
  StoreFixed32(&(*out)[begin], static_cast<uint32_t>(payload.size()));
  StoreFixed32(&(*out)[begin + 4], crc);
}

void AppendFrame(absl::string_view payload, std::string* out) {
  const size_t begin = BeginFrame(out);
  out->append(payload.data(), payload.size());
  EndFrame(begin, out);
}

FrameParser::FrameParser(size_t payload_bytes_max, absl::string_view preamble)
    : payload_bytes_max_(payload_bytes_max), preamble_(preamble) {}

absl::Span<char> FrameParser::Reserve(size_t bytes) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > kKeptBuffer) {
      buffer_.reset();
      capacity_ = 0;
    }
  }
  if (capacity_ - end_ < bytes) {
    const size_t kept = end_ - begin_;
    // Moving alone must free a good part, or a slow large frame is moved for every piece.
    if (kept + bytes > capacity_ || kept > capacity_ / 2) {
      const size_t capacity = std::max({kSmallestBuffer, 2 * kept, kept + bytes});
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      if (kept > 0) std::memcpy(larger.get(), buffer_.get() + begin_, kept);
      buffer_ = std::move(larger);
      capacity_ = capacity;
    } else if (kept > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
    }
    begin_ = 0;
    end_ = kept;
  }
  return absl::MakeSpan(buffer_.get() + end_, capacity_ - end_);
}

void FrameParser::Commit(size_t bytes) {
  CORE_CHECK(bytes <= capacity_ - end_);
  end_ += bytes;
}

void FrameParser::Append(absl::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(Reserve(bytes.size()).data(), bytes.data(), bytes.size());
  Commit(bytes.size());
}

bool FrameParser::Next(absl::string_view* payload) {
  if (!status_.ok() || !TakePreamble() || buffered() < kFrameHeaderBytes) return false;
  const char* const header = buffer_.get() + begin_;
  const uint32_t size = LoadFixed32(header);
  if (size == 0) return Fail(absl::DataLossError("bad frame: its length is 0"));
  if (size > payload_bytes_max_) {
    return Fail(absl::ResourceExhaustedError(absl::StrCat(
        "bad frame: its length, ", size, " bytes, is over the limit of ", payload_bytes_max_)));
  }
  if (buffered() - kFrameHeaderBytes < size) return false;
  const absl::string_view bytes(header + kFrameHeaderBytes, size);
  if (Crc32c(bytes) != LoadFixed32(header + 4)) {
    return Fail(absl::DataLossError(
        absl::StrCat("bad frame: the checksum of its ", size, " bytes does not match")));
  }
  begin_ += kFrameHeaderBytes + size;
  *payload = bytes;
  return true;
}

// Compares as far as there are bytes, so that a stranger's short greeting is noticed at
// once and not when it times out.
bool FrameParser::TakePreamble() {
  const size_t size = std::min(preamble_.size(), buffered());
  const absl::string_view came(buffer_.get() + begin_, size);
  if (came != preamble_.substr(0, size)) {
    const absl::string_view shown(buffer_.get() + begin_, std::min<size_t>(buffered(), 16));
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "no Norn peer: expected \"", preamble_, "\", got \"", absl::CHexEscape(shown), "\"")));
  }
  preamble_.remove_prefix(size);
  begin_ += size;
  return preamble_.empty();
}

bool FrameParser::Fail(absl::Status status) {
  status_ = std::move(status);
  return false;
}

}  // namespace norn::net
