// For tests and benchmarks: messages to send, and whether two of them are the same.

#ifndef NORN_NET_MESSAGE_TESTING_H_
#define NORN_NET_MESSAGE_TESTING_H_

#include <cstddef>
#include <string>
#include <vector>

#include "core/messages.h"
#include "core/random.h"

namespace norn::net {

// Whether the two are equal in every field that travels (not ClientRequest::client and
// ClientReply::client, which never do). A field that is added to a struct stops the build.
bool SameMessage(const Message& a, const Message& b);

// `size` bytes, any of 256 values.
std::string RandomBytes(Random* random, size_t size);

// Any message, with every field drawn: small and greatest numbers, empty and long bytes,
// up to a few KB in all. The same for the same state of `*random`.
Message RandomMessage(Random* random);

// One message of each kind, every field set.
std::vector<Message> OneOfEach();

}  // namespace norn::net

#endif  // NORN_NET_MESSAGE_TESTING_H_
