#include "net/codec.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/messages.h"
#include "net/message_fields.h"
#include "net/proto_reader.h"
#include "net/proto_writer.h"

namespace norn::net {
namespace {

// Envelope, seen from the writing side.
struct EnvelopeOf {
  const Message& message;
};

template <typename V, Is<EnvelopeOf> M>
void Fields(V& v, M& m) {
  std::visit(
      [&v](const auto& body) {
        using Body = std::remove_cvref_t<decltype(body)>;
        static_assert(kBodyNumber<Body> > 0 && kBodyNumber<Body> < kBodyNumberEnd);
        v.Nested(kBodyNumber<Body>, "body", body);
      },
      m.message);
}

// Reads the body if its number is that of alternative I of Message or of a later one.
// Returns false if no alternative has the number.
template <size_t I = 0>
bool ReadBody(uint32_t number, absl::string_view bytes, ProtoReader* reader, Message* message,
              bool* ok) {
  if constexpr (I < std::variant_size_v<Message>) {
    if (kBodyNumber<std::variant_alternative_t<I, Message>> == number) {
      *ok = reader->Read(bytes, &message->emplace<I>());
      return true;
    }
    return ReadBody<I + 1>(number, bytes, reader, message, ok);
  } else {
    return false;
  }
}

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed message: ", what));
}

}  // namespace

void EncodeMessage(const Message& message, std::string* out) {
  ProtoWriter writer(out);
  const EnvelopeOf envelope{message};
  Fields(writer, envelope);
}

size_t EncodedSize(const Message& message) { return ProtoSizer::SizeOf(EnvelopeOf{message}); }

absl::StatusOr<Message> DecodeMessage(absl::string_view bytes, const DecodeLimits& limits) {
  std::string error;
  ProtoReader reader(limits, &error);
  absl::StatusOr<Message> message(absl::in_place);
  bool found = false;
  while (!bytes.empty()) {
    uint32_t number = 0;
    WireType type{};
    if (!reader.ReadTag(&bytes, &number, &type)) return Malformed(error);
    if (number >= kBodyNumberEnd) {
      if (!reader.Skip(&bytes, type)) return Malformed(error);
      continue;
    }
    absl::string_view body;
    if (type != WireType::kBytes || !reader.ReadDelimited(&bytes, &body)) {
      return Malformed(absl::StrCat("body ", number, " is cut short or of a wrong wire type"));
    }
    if (found) return Malformed("the envelope holds two bodies");
    found = true;
    bool ok = false;
    if (!ReadBody(number, body, &reader, &*message, &ok)) {
      return absl::UnimplementedError(absl::StrCat(
          "unknown message: the envelope holds body ", number,
          ", which this version does not know; bring this node to the version of its peer"));
    }
    if (!ok) return Malformed(absl::StrCat(MessageName(*message), ".", error));
  }
  if (!found) return Malformed("the envelope is empty");
  return message;
}

}  // namespace norn::net
