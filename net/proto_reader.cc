#include "net/proto_reader.h"

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "net/proto_writer.h"

namespace norn::net {

bool ProtoReader::ReadTag(absl::string_view* input, uint32_t* number, WireType* type) {
  uint64_t tag = 0;
  if (!TakeVarint(input, &tag) || tag > std::numeric_limits<uint32_t>::max() || tag < 8) {
    Fail("tag", "is no field number and type");
    return false;
  }
  *number = static_cast<uint32_t>(tag >> 3);
  *type = static_cast<WireType>(tag & 7);
  return true;
}

bool ProtoReader::ReadDelimited(absl::string_view* input, absl::string_view* bytes) {
  uint64_t size = 0;
  if (!TakeVarint(input, &size) || size > input->size()) return false;
  *bytes = input->substr(0, static_cast<size_t>(size));
  input->remove_prefix(static_cast<size_t>(size));
  return true;
}

bool ProtoReader::Skip(absl::string_view* input, WireType type) {
  uint64_t varint = 0;
  absl::string_view bytes;
  bool skipped = false;
  switch (type) {
    case WireType::kVarint:
      skipped = TakeVarint(input, &varint);
      break;
    case WireType::kBytes:
      skipped = ReadDelimited(input, &bytes);
      break;
    case WireType::kFixed64:
    case WireType::kFixed32: {
      const size_t size = type == WireType::kFixed64 ? 8 : 4;
      skipped = input->size() >= size;
      if (skipped) input->remove_prefix(size);
      break;
    }
  }
  // Wire types 3 and 4, groups, are left out: proto3 has none.
  if (!skipped) {
    Fail("unknown field", absl::StrCat("of wire type ", static_cast<uint32_t>(type),
                                       " is cut short or of no known type"));
  }
  return skipped;
}

void ProtoReader::Fail(absl::string_view name, absl::string_view why) {
  failed_ = true;
  *error_ = absl::StrCat(name, ": ", why);
}

}  // namespace norn::net
