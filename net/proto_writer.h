// Writes core's structs in protobuf's wire format, straight from their fields.
//
//   message := (tag value)*           tag := varint(number << 3 | type), fields by number
//   value   := varint                 type 0: integers, bool, enums
//            | 8 bytes, little-endian type 1: fixed64
//            | varint length, bytes   type 2: bytes, nested messages
//
// Which field has which number is told by the field tables (net/message_fields.h): a
// function template Fields(visitor, message) that calls the visitor once per field. Three
// visitors write; the one that reads is in net/proto_reader.h.
//
// Why not protobuf's generated classes: core's structs would be copied into them and then
// serialised, field by field twice, at several times the cost; this runs for every message
// of a node and for every one that a simulation delivers. The bytes are those that
// protobuf's own serialiser makes of net/wire.proto: zero scalars and empty bytes are left
// out, nested messages and elements of repeated fields never. Equal values, equal bytes.
//
// Enums travel as their value plus one: 0 is "unspecified" in protobuf, and a field that
// got lost must not read as core's first value, which is often "ok".

#ifndef NORN_NET_PROTO_WRITER_H_
#define NORN_NET_PROTO_WRITER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "core/coding.h"
#include "core/types.h"

namespace norn::net {

// Matches both `T` and `const T`: field tables serve readers and writers.
template <typename M, typename T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr uint64_t MakeTag(uint32_t number, WireType type) {
  return (uint64_t{number} << 3) | static_cast<uint32_t>(type);
}

// Negative numbers take ten bytes, as protobuf's int32 and int64 do.
template <std::integral T>
constexpr uint64_t WireValue(T value) {
  if constexpr (std::is_signed_v<T>) {
    return static_cast<uint64_t>(static_cast<int64_t>(value));
  } else {
    return value;
  }
}

template <typename E>
constexpr uint64_t WireEnum(E value) {
  return static_cast<uint64_t>(static_cast<std::underlying_type_t<E>>(value)) + 1;
}

// Adds up what ProtoWriter will write.
class ProtoSizer {
 public:
  template <typename M>
  static size_t SizeOf(const M& message) {
    ProtoSizer sizer;
    Fields(sizer, message);
    return sizer.size_;
  }

  template <std::integral T>
  void Int(uint32_t number, const char*, T value) {
    if (value != 0) size_ += TagSize(number) + VarintSize(WireValue(value));
  }
  void Node(uint32_t number, const char* name, NodeId id) { Int(number, name, id); }
  void Bool(uint32_t number, const char*, bool value) {
    if (value) size_ += TagSize(number) + 1;
  }
  template <typename E>
  void Enum(uint32_t number, const char*, E value, E) {
    size_ += TagSize(number) + VarintSize(WireEnum(value));
  }
  void Fixed64(uint32_t number, const char*, uint64_t value) {
    if (value != 0) size_ += TagSize(number) + sizeof(value);
  }
  void Bytes(uint32_t number, const char*, const std::string& value) {
    if (!value.empty()) AddDelimited(number, value.size());
  }
  void Key(uint32_t number, const char* name, const std::string& value) {
    Bytes(number, name, value);
  }
  template <typename M>
  void Nested(uint32_t number, const char*, const M& value) {
    AddDelimited(number, SizeOf(value));
  }
  template <typename M>
  void Repeated(uint32_t number, const char*, const std::vector<M>& values) {
    for (const M& value : values) AddDelimited(number, SizeOf(value));
  }
  void RepeatedKeys(uint32_t number, const char*, const std::vector<std::string>& values) {
    for (const std::string& value : values) AddDelimited(number, value.size());
  }
  void PackedFixed64(uint32_t number, const char*, const std::vector<uint64_t>& values) {
    if (!values.empty()) AddDelimited(number, values.size() * sizeof(uint64_t));
  }
  void PackedInts(uint32_t number, const char*, const std::vector<uint32_t>& values) {
    if (!values.empty()) AddDelimited(number, PackedSize(values));
  }
  static size_t PackedSize(const std::vector<uint32_t>& values) {
    size_t size = 0;
    for (const uint32_t value : values) size += VarintSize(value);
    return size;
  }

 private:
  static size_t TagSize(uint32_t number) {
    return number < 16 ? 1 : VarintSize(MakeTag(number, {}));
  }
  void AddDelimited(uint32_t number, size_t size) {
    size_ += TagSize(number) + VarintSize(size) + size;
  }

  size_t size_ = 0;
};

// Appends to a string. Small fields gather in a buffer on the stack, so that a message of
// many of them costs few appends.
class ProtoWriter {
 public:
  explicit ProtoWriter(std::string* out) : out_(out) {}
  ProtoWriter(const ProtoWriter&) = delete;
  ProtoWriter& operator=(const ProtoWriter&) = delete;
  ~ProtoWriter() { Flush(); }

  template <std::integral T>
  void Int(uint32_t number, const char*, T value) {
    if (value != 0) PutTagAndVarint(number, WireType::kVarint, WireValue(value));
  }
  void Node(uint32_t number, const char* name, NodeId id) { Int(number, name, id); }
  void Bool(uint32_t number, const char*, bool value) {
    if (value) PutTagAndVarint(number, WireType::kVarint, 1);
  }
  template <typename E>
  void Enum(uint32_t number, const char*, E value, E) {
    PutTagAndVarint(number, WireType::kVarint, WireEnum(value));
  }
  void Fixed64(uint32_t number, const char*, uint64_t value) {
    if (value == 0) return;
    char* at = Room(kVarintBytesMax + sizeof(value));
    at = StoreVarint(at, MakeTag(number, WireType::kFixed64));
    StoreFixed64(at, value);
    used_ = static_cast<size_t>(at - buffer_) + sizeof(value);
  }
  void Bytes(uint32_t number, const char*, const std::string& value) {
    if (!value.empty()) PutBytes(number, value);
  }
  void Key(uint32_t number, const char* name, const std::string& value) {
    Bytes(number, name, value);
  }
  template <typename M>
  void Nested(uint32_t number, const char*, const M& value) {
    PutTagAndVarint(number, WireType::kBytes, ProtoSizer::SizeOf(value));
    Fields(*this, value);
  }
  template <typename M>
  void Repeated(uint32_t number, const char* name, const std::vector<M>& values) {
    for (const M& value : values) Nested(number, name, value);
  }
  void RepeatedKeys(uint32_t number, const char*, const std::vector<std::string>& values) {
    for (const std::string& value : values) PutBytes(number, value);
  }
  void PackedFixed64(uint32_t number, const char*, const std::vector<uint64_t>& values) {
    if (values.empty()) return;
    PutTagAndVarint(number, WireType::kBytes, values.size() * sizeof(uint64_t));
    for (const uint64_t value : values) {
      StoreFixed64(Room(sizeof(value)), value);
      used_ += sizeof(value);
    }
  }
  void PackedInts(uint32_t number, const char*, const std::vector<uint32_t>& values) {
    if (values.empty()) return;
    PutTagAndVarint(number, WireType::kBytes, ProtoSizer::PackedSize(values));
    for (const uint32_t value : values) {
      used_ = static_cast<size_t>(StoreVarint(Room(kVarintBytesMax), value) - buffer_);
    }
  }

 private:
  static constexpr size_t kBufferBytes = 256;
  static constexpr size_t kSmallBytes = 64;  // what is copied twice rather than appended apart

  // The end of the buffer, with room for `bytes` behind it.
  char* Room(size_t bytes) {
    if (used_ + bytes > kBufferBytes) Flush();
    return buffer_ + used_;
  }

  void PutTagAndVarint(uint32_t number, WireType type, uint64_t value) {
    char* at = Room(2 * kVarintBytesMax);
    at = StoreVarint(at, MakeTag(number, type));
    at = StoreVarint(at, value);
    used_ = static_cast<size_t>(at - buffer_);
  }

  void PutBytes(uint32_t number, const std::string& value) {
    PutTagAndVarint(number, WireType::kBytes, value.size());
    if (value.size() <= kSmallBytes) {
      std::memcpy(Room(value.size()), value.data(), value.size());
      used_ += value.size();
    } else {
      Flush();
      out_->append(value);
    }
  }

  void Flush() {
    out_->append(buffer_, used_);
    used_ = 0;
  }

  std::string* const out_;
  size_t used_ = 0;
  char buffer_[kBufferBytes];
};

}  // namespace norn::net

#endif  // NORN_NET_PROTO_WRITER_H_
