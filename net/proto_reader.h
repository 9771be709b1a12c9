// Reads protobuf's wire format into core's structs; safe on hostile bytes.
//
// The grammar and the field tables are those of net/proto_writer.h. Nothing is read
// outside the input, nothing is allocated that the input did not pay for, and what is
// wrong is said by the field's name ("Forward.operation.kind: 9 is no value ...").
//
// Stricter than protobuf where that costs honest peers nothing: varints must be canonical,
// a value must fit its C++ field rather than be truncated to it, enums must be known, and
// enums, node ids and nested messages must be there. As in protobuf, fields with an unknown
// number are skipped and the last of a scalar that comes twice wins.

#ifndef NORN_NET_PROTO_READER_H_
#define NORN_NET_PROTO_READER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "core/types.h"
#include "net/proto_writer.h"

namespace norn::net {

// What one message may cost beyond its own bytes.
struct DecodeLimits {
  // Of a key, its bucket's prefix included. Past what configuration should ever allow.
  size_t key_bytes_max = (size_t{64} << 10) + kBucketPrefixBytes;
  // Elements of all repeated fields together: an empty one is 2 bytes on the wire and over
  // 60 in memory.
  size_t elements_max = 65536;
};

class ProtoReader {
 public:
  // Reads all of `bytes` into `*message`. False if they are bad: error() says why.
  template <typename M>
  bool Read(absl::string_view bytes, M* message);

  ProtoReader(const DecodeLimits& limits, std::string* error)
      : elements_left_(limits.elements_max), limits_(limits), error_(error) {}

  // Takes a tag off the front of the input.
  bool ReadTag(absl::string_view* input, uint32_t* number, WireType* type);
  // Takes a length and that many bytes off the front of the input.
  bool ReadDelimited(absl::string_view* input, absl::string_view* bytes);
  // Takes a value of no interest off the front of the input.
  bool Skip(absl::string_view* input, WireType type);

  // ---- Called by the field tables, once per field and tag --------------------------

  template <std::integral T>
  void Int(uint32_t number, const char* name, T& value) {
    uint64_t wire = 0;
    if (!Varint(number, name, &wire)) return;
    const T narrow = static_cast<T>(wire);
    if (WireValue(narrow) != wire) {
      return Fail(name, absl::StrCat(wire, " does not fit in ", 8 * sizeof(T), " bits"));
    }
    value = narrow;
  }
  void Node(uint32_t number, const char* name, NodeId& id) {
    Int(number, name, id);
    if (failed_ || number_ != number) return;
    if (id == kNoNode) Fail(name, "0 is no node id; ids are 1 to 65535");
  }
  void Bool(uint32_t number, const char* name, bool& value) {
    uint64_t wire = 0;
    if (!Varint(number, name, &wire)) return;
    if (wire > 1) return Fail(name, absl::StrCat(wire, " is neither 0 nor 1"));
    value = wire == 1;
  }
  template <typename E>
  void Enum(uint32_t number, const char* name, E& value, E last) {
    uint64_t wire = 0;
    if (!Varint(number, name, &wire)) return;
    if (wire == 0 || wire > WireEnum(last)) {
      return Fail(name, absl::StrCat(wire, " is no value that this version knows; known are 1 to ",
                                     WireEnum(last)));
    }
    value = static_cast<E>(wire - 1);
  }
  void Fixed64(uint32_t number, const char* name, uint64_t& value) {
    if (!Match(number, name, WireType::kFixed64)) return;
    if (input_.size() < sizeof(value)) return Fail(name, "is cut short");
    value = LoadFixed64(input_.data());
    input_.remove_prefix(sizeof(value));
  }
  void Bytes(uint32_t number, const char* name, std::string& value) {
    absl::string_view bytes;
    if (Delimited(number, name, &bytes)) value.assign(bytes.data(), bytes.size());
  }
  void Key(uint32_t number, const char* name, std::string& value) {
    absl::string_view bytes;
    if (KeyBytes(number, name, &bytes)) value.assign(bytes.data(), bytes.size());
  }
  template <typename M>
  void Nested(uint32_t number, const char* name, M& value) {
    absl::string_view bytes;
    if (!Delimited(number, name, &bytes)) return;
    ReadNested(name, bytes, &value);
  }
  template <typename M>
  void Repeated(uint32_t number, const char* name, std::vector<M>& values) {
    absl::string_view bytes;
    if (!Delimited(number, name, &bytes) || !TakeElement(name)) return;
    ReadNested(name, bytes, &values.emplace_back());
  }
  void RepeatedKeys(uint32_t number, const char* name, std::vector<std::string>& values) {
    absl::string_view bytes;
    if (!KeyBytes(number, name, &bytes) || !TakeElement(name)) return;
    values.emplace_back(bytes.data(), bytes.size());
  }
  void PackedFixed64(uint32_t number, const char* name, std::vector<uint64_t>& values) {
    absl::string_view bytes;
    if (!Delimited(number, name, &bytes)) return;
    if (bytes.size() % sizeof(uint64_t) != 0) return Fail(name, "is no list of 8 bytes each");
    for (; !bytes.empty() && TakeElement(name); bytes.remove_prefix(sizeof(uint64_t))) {
      values.push_back(LoadFixed64(bytes.data()));
    }
  }
  void PackedInts(uint32_t number, const char* name, std::vector<uint32_t>& values) {
    absl::string_view bytes;
    if (!Delimited(number, name, &bytes)) return;
    while (!bytes.empty() && TakeElement(name)) {
      uint64_t value = 0;
      if (!TakeVarint(&bytes, &value)) return Fail(name, "is no list of canonical varints");
      if (value > UINT32_MAX) return Fail(name, absl::StrCat(value, " does not fit in 32 bits"));
      values.push_back(static_cast<uint32_t>(value));
    }
  }

 private:
  // Visits the fields when a message has been read: who may not be absent is asked for, and
  // an absent number is zero, as the format has it, whatever core's default is.
  class Absence {
   public:
    Absence(uint64_t seen, ProtoReader* reader) : seen_(seen), reader_(reader) {}
    template <typename T>
    void Int(uint32_t number, const char*, T& value) {
      if (!Seen(number)) value = 0;
    }
    void Bool(uint32_t number, const char*, bool& value) {
      if (!Seen(number)) value = false;
    }
    void Fixed64(uint32_t number, const char*, uint64_t& value) {
      if (!Seen(number)) value = 0;
    }
    void Bytes(uint32_t, const char*, const std::string&) {}
    void Key(uint32_t, const char*, const std::string&) {}
    template <typename T>
    void Repeated(uint32_t, const char*, const T&) {}
    template <typename T>
    void RepeatedKeys(uint32_t, const char*, const T&) {}
    void PackedFixed64(uint32_t, const char*, const std::vector<uint64_t>&) {}
    void PackedInts(uint32_t, const char*, const std::vector<uint32_t>&) {}
    void Node(uint32_t number, const char* name, NodeId) { Require(number, name); }
    template <typename T>
    void Enum(uint32_t number, const char* name, T, T) {
      Require(number, name);
    }
    template <typename T>
    void Nested(uint32_t number, const char* name, const T&) {
      Require(number, name);
    }

   private:
    bool Seen(uint32_t number) const { return (seen_ & Bit(number)) != 0; }
    void Require(uint32_t number, const char* name) {
      if (!Seen(number) && !reader_->failed_) reader_->Fail(name, "is missing");
    }
    const uint64_t seen_;
    ProtoReader* const reader_;
  };

  // Field numbers of tables are below 64.
  static constexpr uint64_t Bit(uint32_t number) { return uint64_t{1} << (number & 63); }

  // Whether the tag at hand is this field's. A known number of another type is an error.
  bool Match(uint32_t number, const char* name, WireType type) {
    if (number_ != number || failed_) return false;
    matched_ = true;
    seen_ |= Bit(number);
    if (type_ == type) return true;
    Fail(name, absl::StrCat("has wire type ", static_cast<uint32_t>(type_), ", not ",
                            static_cast<uint32_t>(type)));
    return false;
  }
  bool Varint(uint32_t number, const char* name, uint64_t* value) {
    if (!Match(number, name, WireType::kVarint)) return false;
    if (TakeVarint(&input_, value)) return true;
    Fail(name, "is no canonical varint");
    return false;
  }
  bool Delimited(uint32_t number, const char* name, absl::string_view* bytes) {
    if (!Match(number, name, WireType::kBytes)) return false;
    if (ReadDelimited(&input_, bytes)) return true;
    Fail(name, "is cut short");
    return false;
  }
  bool KeyBytes(uint32_t number, const char* name, absl::string_view* bytes) {
    if (!Delimited(number, name, bytes)) return false;
    if (bytes->size() <= limits_.key_bytes_max) return true;
    Fail(name, absl::StrCat("a key of ", bytes->size(), " bytes is over the limit of ",
                            limits_.key_bytes_max));
    return false;
  }
  bool TakeElement(const char* name) {
    if (elements_left_-- > 0) return true;
    elements_left_ = 0;
    Fail(name, absl::StrCat("more than ", limits_.elements_max, " elements in one message"));
    return false;
  }
  template <typename M>
  void ReadNested(const char* name, absl::string_view bytes, M* value);

  static bool TakeVarint(absl::string_view* input, uint64_t* value) {
    if (!input->empty() && static_cast<signed char>(input->front()) >= 0) {
      *value = static_cast<uint64_t>(input->front());
      input->remove_prefix(1);
      return true;
    }
    const char* const behind = LoadVarint(input->data(), input->data() + input->size(), value);
    if (behind == nullptr) return false;
    input->remove_prefix(static_cast<size_t>(behind - input->data()));
    return true;
  }

  void Fail(absl::string_view name, absl::string_view why);

  absl::string_view input_;  // of the message that is being read
  uint32_t number_ = 0;      // the tag at hand
  WireType type_ = WireType::kVarint;
  bool matched_ = false;  // some field took it
  bool failed_ = false;
  uint64_t seen_ = 0;  // fields that came, by number
  size_t elements_left_;
  const DecodeLimits limits_;
  std::string* const error_;  // set when failed_
};

template <typename M>
bool ProtoReader::Read(absl::string_view bytes, M* message) {
  input_ = bytes;
  seen_ = 0;
  while (!input_.empty()) {
    if (!ReadTag(&input_, &number_, &type_)) return false;
    matched_ = false;
    Fields(*this, *message);
    if (failed_) return false;
    if (!matched_ && !Skip(&input_, type_)) return false;
  }
  Absence absence(seen_, this);
  Fields(absence, *message);
  return !failed_;
}

template <typename M>
void ProtoReader::ReadNested(const char* name, absl::string_view bytes, M* value) {
  const absl::string_view rest = input_;
  const uint32_t number = number_;
  const uint64_t seen = seen_;
  if (!Read(bytes, value)) error_->insert(0, absl::StrCat(name, "."));
  // Restored also after an error: the remaining fields of the table are still visited.
  input_ = rest;
  number_ = number;
  seen_ = seen;
  matched_ = true;
}

}  // namespace norn::net

#endif  // NORN_NET_PROTO_READER_H_
