// Reads commands as Redis clients send them, out of a buffer that grows as bytes arrive.
//
//   command   = multibulk | inline
//   multibulk = "*" count CRLF count*( "$" length CRLF length*OCTET CRLF )
//   inline    = *( word / quoted ) [CR] LF      ; for people with telnet
//   quoted    = DQUOTE *( char / "\n" / "\r" / "\t" / "\b" / "\a" / "\xHH" / "\" char ) DQUOTE
//             / "'" *( char / "\'" ) "'"
//
// Empty commands ("*0", "*-1", a blank line) are skipped, as Redis does.
//
// Invariants:
//   - Arguments of a multibulk command are views of the caller's bytes: nothing is copied.
//   - Memory follows the bytes that arrived, never a length that a client announced.
//   - Work is linear in the bytes, however finely they are split: what was scanned once is
//     not scanned again.
//   - After kError the stream has lost its framing: the connection must end.

#ifndef NORN_NET_RESP_PARSER_H_
#define NORN_NET_RESP_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace norn::net {

struct RespRequestLimits {
  size_t arguments_max = size_t{1} << 20;       // of one command
  size_t bulk_bytes_max = size_t{8} << 20;      // of one argument; above any value the node takes
  size_t line_bytes_max = size_t{64} << 10;     // of an inline command, or a "*" or "$" line
  size_t command_bytes_max = size_t{32} << 20;  // of one command as it stands on the wire
};

class RespRequestParser {
 public:
  enum class Result : uint8_t { kCommand, kNeedMore, kError };

  explicit RespRequestParser(const RespRequestLimits& limits) : limits_(limits) {}

  // Looks for the next command in `data`: all bytes that were received and not yet
  // consumed. After each call the caller drops consumed() bytes from the front (also after
  // kNeedMore: blank lines), and calls again with what is left and what has arrived since.
  Result Next(absl::string_view data);

  // Bytes of `data` that the last Next() was done with.
  size_t consumed() const { return consumed_; }

  // After kCommand: at least one. Valid until the bytes move or Next() is called.
  absl::Span<const absl::string_view> arguments() const { return arguments_; }

  // After kError: "Protocol error: ...", in Redis's words where it has some.
  const std::string& error() const { return error_; }

 private:
  enum class Step : uint8_t { kDone, kNeedMore, kError };
  enum class State : uint8_t { kStart, kBulkHeader, kBulkBody };
  struct Piece {
    size_t offset;
    size_t bytes;
  };

  Step ReadStart(absl::string_view data);
  Step ReadArguments(absl::string_view data);
  Step ReadInline(absl::string_view data);
  // Finds the line at position_, without its CRLF, and leaves position_ behind it.
  Step ReadLine(absl::string_view data, const char* too_long, absl::string_view* line);
  Step Fail(absl::string_view what);
  void BeginCommand(size_t offset);

  const RespRequestLimits limits_;
  State state_ = State::kStart;
  size_t start_ = 0;     // of the command, in the data of this call
  size_t position_ = 0;  // what is before it has been understood
  size_t searched_ = 0;  // what is before it holds no end of the current line
  size_t arguments_left_ = 0;
  size_t bulk_bytes_ = 0;  // of the argument whose body comes next
  size_t consumed_ = 0;
  std::vector<Piece> pieces_;
  std::vector<absl::string_view> arguments_;
  std::string unquoted_;  // of an inline command: its words, escapes resolved
  std::string error_;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_PARSER_H_
