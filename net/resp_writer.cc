#include "net/resp_writer.h"

#include <algorithm>
#include <charconv>

namespace norn::net {

void RespWriter::Header(char type, int64_t number) {
  char line[24];
  line[0] = type;
  char* end = std::to_chars(line + 1, line + sizeof(line), number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out_->append(line, static_cast<size_t>(end - line));
}

void RespWriter::Line(absl::string_view text) {
  const size_t begin = out_->size();
  out_->append(text.data(), text.size());
  const auto at = out_->begin() + static_cast<ptrdiff_t>(begin);
  std::replace_if(
      at, out_->end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out_->append("\r\n", 2);
}

void RespWriter::Simple(absl::string_view text) {
  out_->push_back('+');
  Line(text);
}

void RespWriter::Error(absl::string_view text) {
  out_->push_back('-');
  Line(text);
}

void RespWriter::Integer(int64_t value) { Header(':', value); }

void RespWriter::Bulk(absl::string_view data) {
  Header('$', static_cast<int64_t>(data.size()));
  out_->append(data.data(), data.size());
  out_->append("\r\n", 2);
}

void RespWriter::Verbatim(absl::string_view text) {
  if (protocol_ < 3) return Bulk(text);
  Header('=', static_cast<int64_t>(text.size() + 4));
  out_->append("txt:", 4);
  out_->append(text.data(), text.size());
  out_->append("\r\n", 2);
}

void RespWriter::Null() {
  if (protocol_ < 3) {
    out_->append("$-1\r\n", 5);
  } else {
    out_->append("_\r\n", 3);
  }
}

void RespWriter::Array(size_t elements) { Header('*', static_cast<int64_t>(elements)); }

void RespWriter::Map(size_t pairs) {
  if (protocol_ < 3) return Array(pairs * 2);
  Header('%', static_cast<int64_t>(pairs));
}

}  // namespace norn::net
