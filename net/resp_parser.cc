#include "net/resp_parser.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "net/resp_integer.h"
#include "net/resp_words.h"

namespace norn::net {

void RespRequestParser::BeginCommand(size_t offset) {
  state_ = State::kStart;
  start_ = position_ = searched_ = offset;
  pieces_.clear();
}

RespRequestParser::Step RespRequestParser::Fail(absl::string_view what) {
  error_ = absl::StrCat("Protocol error: ", what);
  return Step::kError;
}

RespRequestParser::Result RespRequestParser::Next(absl::string_view data) {
  arguments_.clear();
  Step step = Step::kDone;
  while (step == Step::kDone) {
    if (state_ == State::kStart) {
      step = ReadStart(data);
    } else {
      step = ReadArguments(data);
      if (step == Step::kDone) {
        for (const Piece& piece : pieces_) {
          arguments_.push_back(data.substr(piece.offset, piece.bytes));
        }
      }
    }
    if (!arguments_.empty()) break;
  }
  if (step == Step::kDone) {
    consumed_ = position_;
    BeginCommand(0);
    return Result::kCommand;
  }
  // The next call's data begins at the command that is not complete yet.
  consumed_ = start_;
  position_ -= start_;
  searched_ -= start_;
  for (Piece& piece : pieces_) piece.offset -= start_;
  start_ = 0;
  return step == Step::kError ? Result::kError : Result::kNeedMore;
}

RespRequestParser::Step RespRequestParser::ReadLine(absl::string_view data, const char* too_long,
                                                    absl::string_view* line) {
  const size_t from = searched_ > position_ ? searched_ : position_;
  const void* found =
      from < data.size() ? std::memchr(data.data() + from, '\n', data.size() - from) : nullptr;
  const size_t end = found == nullptr
                         ? data.size()
                         : static_cast<size_t>(static_cast<const char*>(found) - data.data());
  if (end - position_ > limits_.line_bytes_max) return Fail(too_long);
  searched_ = end;
  if (found == nullptr) return Step::kNeedMore;
  *line = data.substr(position_, end - position_);
  if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  position_ = end + 1;
  return Step::kDone;
}

RespRequestParser::Step RespRequestParser::ReadStart(absl::string_view data) {
  if (position_ >= data.size()) return Step::kNeedMore;
  if (data[position_] != '*') return ReadInline(data);

  absl::string_view line;
  const Step step = ReadLine(data, "too big mbulk count string", &line);
  if (step != Step::kDone) return step;
  int64_t count = 0;
  if (!ParseRespInteger(line.substr(1), &count) ||
      count > static_cast<int64_t>(limits_.arguments_max)) {
    return Fail("invalid multibulk length");
  }
  if (count <= 0) {
    BeginCommand(position_);
    return Step::kDone;
  }
  arguments_left_ = static_cast<size_t>(count);
  state_ = State::kBulkHeader;
  return Step::kDone;
}

RespRequestParser::Step RespRequestParser::ReadArguments(absl::string_view data) {
  while (arguments_left_ > 0) {
    if (state_ == State::kBulkHeader) {
      if (position_ >= data.size()) return Step::kNeedMore;
      if (data[position_] != '$') {
        return Fail(absl::StrCat("expected '$', got '", data.substr(position_, 1), "'"));
      }
      absl::string_view line;
      const Step step = ReadLine(data, "too big bulk count string", &line);
      if (step != Step::kDone) return step;
      int64_t bytes = 0;
      if (!ParseRespInteger(line.substr(1), &bytes) || bytes < 0 ||
          bytes > static_cast<int64_t>(limits_.bulk_bytes_max)) {
        return Fail("invalid bulk length");
      }
      bulk_bytes_ = static_cast<size_t>(bytes);
      if (position_ - start_ + bulk_bytes_ > limits_.command_bytes_max) {
        return Fail("too big request");
      }
      state_ = State::kBulkBody;
    }
    if (data.size() < position_ + bulk_bytes_ + 2) return Step::kNeedMore;
    if (data[position_ + bulk_bytes_] != '\r' || data[position_ + bulk_bytes_ + 1] != '\n') {
      return Fail("expected CRLF behind a bulk string");
    }
    pieces_.push_back({position_, bulk_bytes_});
    position_ += bulk_bytes_ + 2;
    --arguments_left_;
    state_ = State::kBulkHeader;
  }
  return Step::kDone;
}

RespRequestParser::Step RespRequestParser::ReadInline(absl::string_view data) {
  absl::string_view line;
  const Step step = ReadLine(data, "too big inline request", &line);
  if (step != Step::kDone) return step;
  if (!SplitRespWords(line, &unquoted_, &arguments_)) {
    arguments_.clear();
    return Fail("unbalanced quotes in request");
  }
  if (arguments_.empty()) BeginCommand(position_);
  return Step::kDone;
}

}  // namespace norn::net
