#include "net/codec.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/messages.h"
#include "core/random.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "net/message_fields.h"
#include "net/message_testing.h"
#include "net/schema_testing.h"
#include "net/wire.pb.h"
#include "rapidcheck/gtest.h"

namespace norn::net {
namespace {

std::string Encode(const Message& message) {
  std::string bytes;
  EncodeMessage(message, &bytes);
  return bytes;
}

std::string ErrorOf(absl::string_view bytes, const DecodeLimits& limits = {}) {
  return std::string(DecodeMessage(bytes, limits).status().message());
}

// ---- The field tables say what wire.proto says ------------------------------------

template <size_t I = 0>
void CheckEveryBody() {
  if constexpr (I < std::variant_size_v<Message>) {
    using Body = std::variant_alternative_t<I, Message>;
    const google::protobuf::FieldDescriptor* const field =
        v1::Envelope::descriptor()->FindFieldByNumber(static_cast<int>(kBodyNumber<Body>));
    ASSERT_NE(field, nullptr) << MessageName(Body{});
    EXPECT_EQ(field->message_type()->name(), MessageName(Body{}));
    SchemaCheck::Check<Body>(MessageName(Body{}));
    CheckEveryBody<I + 1>();
  }
}

TEST(CodecSchemaTest, FieldTablesMatchWireProto) {
  EXPECT_EQ(v1::Envelope::descriptor()->field_count(),
            static_cast<int>(std::variant_size_v<Message>));
  CheckEveryBody();
}

// ---- Round trips ------------------------------------------------------------------

TEST(CodecTest, EveryMessageComesBackEqual) {
  for (const Message& message : OneOfEach()) {
    const std::string bytes = Encode(message);
    EXPECT_EQ(bytes.size(), EncodedSize(message)) << MessageName(message);
    const absl::StatusOr<Message> decoded = DecodeMessage(bytes);
    ASSERT_TRUE(decoded.ok()) << MessageName(message) << ": " << decoded.status();
    EXPECT_TRUE(SameMessage(*decoded, message)) << MessageName(message);
  }
}

TEST(CodecTest, AppendsBehindWhatIsThere) {
  const Message message =
      ReplicaWriteReply{.request = 7, .status = ReplicaStatus::kOk, .life = 0, .fences = {}};
  std::string bytes = "before";
  EncodeMessage(message, &bytes);
  EXPECT_EQ(bytes, "before" + Encode(message));
}

TEST(CodecTest, LargeBytesAndKeysAtTheLimit) {
  const DecodeLimits limits;
  const Message message = ReplicaWrite{.request = 1,
                                       .key = std::string(limits.key_bytes_max, 'k'),
                                       .record = std::string(4u << 20, 'v')};
  const absl::StatusOr<Message> decoded = DecodeMessage(Encode(message));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(SameMessage(*decoded, message));
}

TEST(CodecTest, TicketsOfPortsStayAtHome) {
  Forward forward;
  forward.operation.client = 42;
  const absl::StatusOr<Message> decoded = DecodeMessage(Encode(forward));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(std::get<Forward>(*decoded).operation.client, 0u);
}

// The bytes are canonical protobuf: what protobuf reads, it writes back alike.
RC_GTEST_PROP(CodecPropertyTest, BytesAreThoseOfProtobuf, (uint64_t seed)) {
  Random random(seed);
  const Message message = RandomMessage(&random);
  const std::string bytes = Encode(message);
  RC_ASSERT(bytes.size() == EncodedSize(message));
  v1::Envelope envelope;
  RC_ASSERT(envelope.ParseFromString(bytes));
  RC_ASSERT(envelope.SerializeAsString() == bytes);
  const absl::StatusOr<Message> decoded = DecodeMessage(bytes);
  RC_ASSERT(decoded.ok());
  RC_ASSERT(SameMessage(*decoded, message));
}

// Hostile bytes: never a crash, and what is taken is taken as protobuf takes it.
RC_GTEST_PROP(CodecPropertyTest, MutatedBytesAreRefusedOrReadAsProtobufDoes, (uint64_t seed)) {
  Random random(seed);
  std::string bytes = Encode(RandomMessage(&random));
  for (uint64_t i = random.Between(1, 4); i > 0 && !bytes.empty(); --i) {
    const size_t at = random.Below(bytes.size());
    switch (random.Below(4)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.Below(8)));
        break;
      case 1:
        bytes.resize(at);
        break;
      case 2:
        bytes.insert(at, RandomBytes(&random, random.Below(8)));
        break;
      default:
        bytes.erase(at, random.Below(8));
    }
  }
  const absl::StatusOr<Message> decoded = DecodeMessage(bytes);
  if (!decoded.ok()) {
    RC_ASSERT(!decoded.status().message().empty());
    return;
  }
  v1::Envelope envelope;
  RC_ASSERT(envelope.ParseFromString(bytes));
  envelope.DiscardUnknownFields();
  RC_ASSERT(envelope.SerializeAsString() == Encode(*decoded));
}

// ---- What is refused, and how it is said ------------------------------------------

TEST(CodecErrorTest, UnknownFieldsAreIgnored) {
  v1::Envelope envelope;
  envelope.mutable_replica_read()->set_key("k");
  envelope.GetReflection()->MutableUnknownFields(&envelope)->AddLengthDelimited(
      static_cast<int>(kBodyNumberEnd), "later");
  auto* const read = envelope.mutable_replica_read();
  auto* const unknown = read->GetReflection()->MutableUnknownFields(read);
  unknown->AddVarint(1000, ~uint64_t{0});
  unknown->AddFixed32(1001, 1);
  unknown->AddFixed64(1002, 1);
  unknown->AddLengthDelimited(1003, "bytes");
  const absl::StatusOr<Message> decoded = DecodeMessage(envelope.SerializeAsString());
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(SameMessage(*decoded, ReplicaRead{.key = "k"}));
}

TEST(CodecErrorTest, UnknownMessageIsAClearError) {
  v1::Envelope envelope;
  envelope.GetReflection()->MutableUnknownFields(&envelope)->AddLengthDelimited(20, "");
  const absl::Status status = DecodeMessage(envelope.SerializeAsString()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(),
            "unknown message: the envelope holds body 20, which this version does not know; "
            "bring this node to the version of its peer");
}

TEST(CodecErrorTest, EnvelopeHoldsExactlyOneBody) {
  EXPECT_EQ(ErrorOf(""), "malformed message: the envelope is empty");
  const std::string one = Encode(ReplicaRead{});
  EXPECT_EQ(ErrorOf(one + one), "malformed message: the envelope holds two bodies");
  EXPECT_EQ(ErrorOf("\x08\x01"), "malformed message: body 1 is cut short or of a wrong wire type");
}

TEST(CodecErrorTest, ErrorsNameTheField) {
  v1::Envelope reply;
  reply.mutable_replica_write_reply()->set_request(1);
  EXPECT_EQ(ErrorOf(reply.SerializeAsString()),
            "malformed message: ReplicaWriteReply.status: is missing");
  reply.mutable_replica_write_reply()->set_status(static_cast<v1::ReplicaStatus>(8));
  EXPECT_EQ(ErrorOf(reply.SerializeAsString()),
            "malformed message: ReplicaWriteReply.status: 8 is no value that this version "
            "knows; known are 1 to 7");

  v1::Envelope gossip;
  gossip.mutable_gossip()->add_members()->set_id(65536);
  EXPECT_EQ(ErrorOf(gossip.SerializeAsString()),
            "malformed message: Gossip.members.id: 65536 does not fit in 16 bits");
  gossip.mutable_gossip()->mutable_members(0)->set_id(0);
  EXPECT_EQ(ErrorOf(gossip.SerializeAsString()),
            "malformed message: Gossip.members.id: is missing");

  v1::Envelope forward;
  forward.mutable_forward()->mutable_operation()->set_kind(v1::ClientRequest::KIND_PUT);
  EXPECT_EQ(ErrorOf(forward.SerializeAsString()),
            "malformed message: Forward.operation.base: is missing");
  forward.mutable_forward()->clear_operation();
  EXPECT_EQ(ErrorOf(forward.SerializeAsString()),
            "malformed message: Forward.operation: is missing");

  v1::Envelope write;
  write.mutable_replica_write()->set_partition(70000);
  EXPECT_EQ(ErrorOf(write.SerializeAsString()),
            "malformed message: ReplicaWrite.partition: 70000 does not fit in 16 bits");
}

TEST(CodecErrorTest, LimitsHold) {
  TombstoneOffer two_keys;
  two_keys.entries = {{.key = "abc"}, {.key = "abcd"}};
  const Message offer = two_keys;
  EXPECT_TRUE(DecodeMessage(Encode(offer), {.key_bytes_max = 4, .elements_max = 2}).ok());
  EXPECT_EQ(ErrorOf(Encode(offer), {.key_bytes_max = 3}),
            "malformed message: TombstoneOffer.entries.key: a key of 4 bytes is over the limit "
            "of 3");
  EXPECT_EQ(ErrorOf(Encode(offer), {.elements_max = 1}),
            "malformed message: TombstoneOffer.entries: more than 1 elements in one message");
}

TEST(CodecErrorTest, PackedListsAreRefusedWhole) {
  ExchangeOffer two_digests;
  two_digests.digests = {1, 2};
  const Message offer = two_digests;
  EXPECT_TRUE(DecodeMessage(Encode(offer), {.elements_max = 2}).ok());
  EXPECT_EQ(ErrorOf(Encode(offer), {.elements_max = 1}),
            "malformed message: ExchangeOffer.digests: more than 1 elements in one message");
  ExchangeAnswer two_indexes;
  two_indexes.status = ReplicaStatus::kOk;
  two_indexes.wanted = {1, 1u << 31};
  const Message answer = two_indexes;
  EXPECT_TRUE(DecodeMessage(Encode(answer), {.elements_max = 2}).ok());
  EXPECT_EQ(ErrorOf(Encode(answer), {.elements_max = 1}),
            "malformed message: ExchangeAnswer.wanted: more than 1 elements in one message");

  // A body of one field, of type 2: digests of 7 bytes; indexes that are no varint, or too great.
  const auto with_field = [](char body, std::string value) {
    std::string field = "\xa2\x01";
    field.push_back(static_cast<char>(value.size()));
    field += value;
    return std::string{body, static_cast<char>(field.size())} + field;
  };
  EXPECT_EQ(ErrorOf(with_field('\x42', "1234567")),
            "malformed message: ExchangeOffer.digests: is no list of 8 bytes each");
  EXPECT_EQ(ErrorOf(with_field('\x4a', "\xff")),
            "malformed message: ExchangeAnswer.wanted: is no list of canonical varints");
  EXPECT_EQ(ErrorOf(with_field('\x4a', "\x80\x80\x80\x80\x10")),
            "malformed message: ExchangeAnswer.wanted: 4294967296 does not fit in 32 bits");
}

TEST(CodecErrorTest, EveryTruncationIsRefused) {
  for (const Message& message : OneOfEach()) {
    const std::string bytes = Encode(message);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodeMessage(absl::string_view(bytes).substr(0, size)).ok())
          << MessageName(message) << " cut to " << size << " bytes";
    }
  }
}

}  // namespace
}  // namespace norn::net
