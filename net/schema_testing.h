// For tests: holds a field table (net/proto_writer.h) against the message's descriptor in
// net/wire.proto: every field's name, number, type, and that none is left out.

#ifndef NORN_NET_SCHEMA_TESTING_H_
#define NORN_NET_SCHEMA_TESTING_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "core/types.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "net/wire.pb.h"

namespace norn::net {

// A visitor that looks each field up.
class SchemaCheck {
 public:
  using FieldDescriptor = google::protobuf::FieldDescriptor;

  // Checks the table of M against the message called `name`, and what is nested in it.
  template <typename M>
  static void Check(const std::string& name) {
    const google::protobuf::Descriptor* const descriptor =
        v1::Envelope::descriptor()->file()->FindMessageTypeByName(name);
    ASSERT_NE(descriptor, nullptr) << name;
    SchemaCheck check(descriptor);
    M message;
    Fields(check, message);
    EXPECT_EQ(check.fields_, descriptor->field_count()) << name << ": the table lacks fields";
  }

  template <typename T>
  void Int(uint32_t number, const char* name, T&) {
    constexpr bool kWide = sizeof(T) == sizeof(uint64_t);
    constexpr auto kUnsigned = kWide ? FieldDescriptor::TYPE_UINT64 : FieldDescriptor::TYPE_UINT32;
    constexpr auto kSigned = kWide ? FieldDescriptor::TYPE_INT64 : FieldDescriptor::TYPE_INT32;
    Expect(number, name, std::is_signed_v<T> ? kSigned : kUnsigned);
  }
  void Node(uint32_t number, const char* name, NodeId&) {
    Expect(number, name, FieldDescriptor::TYPE_UINT32);
  }
  void Bool(uint32_t number, const char* name, bool&) {
    Expect(number, name, FieldDescriptor::TYPE_BOOL);
  }
  template <typename E>
  void Enum(uint32_t number, const char* name, E&, E last) {
    const FieldDescriptor* const field = Expect(number, name, FieldDescriptor::TYPE_ENUM);
    if (field == nullptr) return;
    const auto* const values = field->enum_type();
    EXPECT_EQ(values->value_count(), static_cast<int>(last) + 2) << field->full_name();
    for (int i = 0; i < values->value_count(); ++i) EXPECT_EQ(values->value(i)->number(), i);
  }
  void Fixed64(uint32_t number, const char* name, uint64_t&) {
    Expect(number, name, FieldDescriptor::TYPE_FIXED64);
  }
  void Bytes(uint32_t number, const char* name, std::string&) {
    Expect(number, name, FieldDescriptor::TYPE_BYTES);
  }
  void Key(uint32_t number, const char* name, std::string&) {
    Expect(number, name, FieldDescriptor::TYPE_BYTES);
  }
  template <typename M>
  void Nested(uint32_t number, const char* name, M&) {
    const FieldDescriptor* const field = Expect(number, name, FieldDescriptor::TYPE_MESSAGE);
    if (field != nullptr) Check<M>(field->message_type()->name());
  }
  template <typename M>
  void Repeated(uint32_t number, const char* name, std::vector<M>&) {
    const FieldDescriptor* const field = Expect(number, name, FieldDescriptor::TYPE_MESSAGE, true);
    if (field != nullptr) Check<M>(field->message_type()->name());
  }
  void RepeatedKeys(uint32_t number, const char* name, std::vector<std::string>&) {
    Expect(number, name, FieldDescriptor::TYPE_BYTES, true);
  }
  void PackedFixed64(uint32_t number, const char* name, std::vector<uint64_t>&) {
    Expect(number, name, FieldDescriptor::TYPE_FIXED64, true);
  }
  void PackedInts(uint32_t number, const char* name, std::vector<uint32_t>&) {
    Expect(number, name, FieldDescriptor::TYPE_UINT32, true);
  }

 private:
  explicit SchemaCheck(const google::protobuf::Descriptor* descriptor) : descriptor_(descriptor) {}

  const FieldDescriptor* Expect(uint32_t number, const char* name, FieldDescriptor::Type type,
                                bool repeated = false) {
    ++fields_;
    EXPECT_LT(number, 64u) << "ProtoReader keeps one bit per number";
    const FieldDescriptor* const field = descriptor_->FindFieldByNumber(static_cast<int>(number));
    if (field == nullptr) {
      ADD_FAILURE() << descriptor_->name() << " has no field " << number << " (" << name << ")";
      return nullptr;
    }
    EXPECT_EQ(field->name(), name);
    EXPECT_EQ(field->type(), type) << field->full_name();
    EXPECT_EQ(field->is_repeated(), repeated) << field->full_name();
    return field->type() == type ? field : nullptr;
  }

  const google::protobuf::Descriptor* const descriptor_;
  int fields_ = 0;
};

}  // namespace norn::net

#endif  // NORN_NET_SCHEMA_TESTING_H_
