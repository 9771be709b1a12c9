// How messages follow each other on a byte stream.
//
//   stream := preamble? frame*
//   frame  := length crc payload
//   length := 4 bytes, little-endian: bytes of payload, 1 to the limit
//   crc    := 4 bytes, little-endian: CRC-32C of payload, not masked (nothing that holds a
//             frame is itself checksummed by CRC-32C)
//
// The checksum is there because TCP's own 16 bits let about one damaged segment in 65536
// pass, and middleboxes compute it anew; the length is vouched for by the checksum that is
// then found at the wrong place.
//
// An error is final: after a bad length or checksum nobody knows where the next frame
// starts. The connection has to be closed.

#ifndef NORN_NET_FRAME_H_
#define NORN_NET_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace norn::net {

inline constexpr size_t kFrameHeaderBytes = 8;
inline constexpr size_t kFramePayloadBytesMax = size_t{16} << 20;

// Begins a frame at the end of `*out`. The payload is what is appended until EndFrame,
// which takes what BeginFrame returned. No copy of the payload is made.
size_t BeginFrame(std::string* out);
void EndFrame(size_t begin, std::string* out);

// Both at once, for a payload that is there already; it must not be empty.
void AppendFrame(absl::string_view payload, std::string* out);

// Cuts a stream that arrives in arbitrary pieces into frames.
//
// Memory is claimed as bytes arrive, never because a header announces them: at most twice
// what has arrived, and at most one whole frame and a piece.
class FrameParser {
 public:
  // The stream must open with `preamble`, which outlives the parser.
  explicit FrameParser(size_t payload_bytes_max = kFramePayloadBytesMax,
                       absl::string_view preamble = absl::string_view());

  // Room for at least `bytes` to be written into; Commit says how many were. Invalidates
  // what Next returned.
  absl::Span<char> Reserve(size_t bytes);
  void Commit(size_t bytes);

  // Reserve, copy, Commit.
  void Append(absl::string_view bytes);

  // True: `*payload` is that of the next frame, good until the next Reserve or Append.
  // False: more bytes are needed, or status() is not OK, for ever.
  bool Next(absl::string_view* payload);

  const absl::Status& status() const { return status_; }

  // Counts from the next frame on.
  void set_payload_bytes_max(size_t bytes) { payload_bytes_max_ = bytes; }

  // Bytes that came and were not yet returned as frames.
  size_t buffered() const { return end_ - begin_; }

 private:
  bool TakePreamble();
  bool Fail(absl::Status status);

  size_t payload_bytes_max_;
  absl::string_view preamble_;  // what is still to come of it
  absl::Status status_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;  // buffer_[begin_, end_): not yet returned
  size_t end_ = 0;
};

}  // namespace norn::net

#endif  // NORN_NET_FRAME_H_
