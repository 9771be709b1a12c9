// Messages to bytes and back: the Envelope of net/wire.proto.
//
// Pure functions. Equal messages give equal bytes, on every machine and compiler. What
// comes from outside is checked field by field: enums are known, ids fit 16 bits, keys and
// element counts are under their limits; what a field means is core's business.
//
// A field that a newer node added is ignored; a message that a newer node invented is an
// error. The protocol version agreed in the handshake keeps new messages from old nodes.
//
// No sockets here: the simulator's bus carries the same bytes.

#ifndef NORN_NET_CODEC_H_
#define NORN_NET_CODEC_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/messages.h"
#include "net/proto_reader.h"

namespace norn::net {

// Appends the bytes of `message` to `*out`.
void EncodeMessage(const Message& message, std::string* out);

// How many bytes EncodeMessage would append. O(fields): contents are not touched.
size_t EncodedSize(const Message& message);

// InvalidArgument names the message and field at fault; Unimplemented: a message that this
// version does not know.
absl::StatusOr<Message> DecodeMessage(absl::string_view bytes, const DecodeLimits& limits = {});

}  // namespace norn::net

#endif  // NORN_NET_CODEC_H_
