#include "net/resp_reply.h"

#include <utility>

#include "absl/strings/numbers.h"

namespace norn::net {

namespace {

using Result = RespReplyResult;

constexpr int kDepthMax = 8;
constexpr int64_t kBulkBytesMax = int64_t{512} << 20;
constexpr int64_t kElementsMax = int64_t{1} << 24;

class Parser {
 public:
  explicit Parser(absl::string_view data) : data_(data) {}

  Result Read(RespReply* reply, int depth) {
    absl::string_view line;
    const Result found = ReadLine(&line);
    if (found != Result::kReply) return found;
    if (line.empty() || depth > kDepthMax) return Result::kError;
    const absl::string_view rest = line.substr(1);
    switch (line[0]) {
      case '+':
      case '-':
        reply->kind = line[0] == '+' ? RespReply::Kind::kSimple : RespReply::Kind::kError;
        reply->text = std::string(rest);
        return Result::kReply;
      case ':':
        reply->kind = RespReply::Kind::kInteger;
        return absl::SimpleAtoi(rest, &reply->integer) ? Result::kReply : Result::kError;
      case '$':
        return ReadBulk(rest, reply);
      case '*':
        return ReadArray(rest, reply, depth);
      default:
        return Result::kError;
    }
  }

  size_t position() const { return position_; }

 private:
  Result ReadLine(absl::string_view* line) {
    const size_t end = data_.find("\r\n", position_);
    if (end == absl::string_view::npos) return Result::kNeedMore;
    *line = data_.substr(position_, end - position_);
    position_ = end + 2;
    return Result::kReply;
  }

  Result ReadBulk(absl::string_view length_text, RespReply* reply) {
    int64_t length = 0;
    if (!absl::SimpleAtoi(length_text, &length) || length < -1 || length > kBulkBytesMax) {
      return Result::kError;
    }
    if (length == -1) return Result::kReply;  // stays kNull
    const auto bytes = static_cast<size_t>(length);
    if (data_.size() - position_ < bytes + 2) return Result::kNeedMore;
    if (data_.substr(position_ + bytes, 2) != "\r\n") return Result::kError;
    reply->kind = RespReply::Kind::kBulk;
    reply->text = std::string(data_.substr(position_, bytes));
    position_ += bytes + 2;
    return Result::kReply;
  }

  Result ReadArray(absl::string_view count_text, RespReply* reply, int depth) {
    int64_t count = 0;
    if (!absl::SimpleAtoi(count_text, &count) || count < -1 || count > kElementsMax) {
      return Result::kError;
    }
    if (count == -1) return Result::kReply;
    reply->kind = RespReply::Kind::kArray;
    for (int64_t i = 0; i < count; ++i) {
      RespReply element;
      const Result found = Read(&element, depth + 1);
      if (found != Result::kReply) return found;
      reply->elements.push_back(std::move(element));
    }
    return Result::kReply;
  }

  absl::string_view data_;
  size_t position_ = 0;
};

}  // namespace

RespReplyResult ParseRespReply(absl::string_view data, RespReply* reply, size_t* consumed) {
  *reply = RespReply();
  Parser parser(data);
  const RespReplyResult result = parser.Read(reply, 0);
  *consumed = result == RespReplyResult::kReply ? parser.position() : 0;
  return result;
}

}  // namespace norn::net
