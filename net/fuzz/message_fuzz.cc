// Hostile bytes as a message: refused, or read to something that survives a round trip.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/messages.h"
#include "core/random.h"
#include "net/codec.h"
#include "net/message_testing.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {

std::vector<std::string> FuzzSeeds() {
  std::vector<Message> messages = net::OneOfEach();
  Random random(1);
  for (int i = 0; i < 100; ++i) messages.push_back(net::RandomMessage(&random));
  std::vector<std::string> seeds;
  for (const Message& message : messages) net::EncodeMessage(message, &seeds.emplace_back());
  return seeds;
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using norn::net::DecodeMessage;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<norn::Message> message = DecodeMessage(input);
  if (!message.ok()) {
    CORE_CHECK(!message.status().message().empty());
    return 0;
  }
  std::string bytes;
  norn::net::EncodeMessage(*message, &bytes);
  CORE_CHECK(bytes.size() == norn::net::EncodedSize(*message));
  const absl::StatusOr<norn::Message> again = DecodeMessage(bytes);
  CORE_CHECK(again.ok());
  CORE_CHECK(norn::net::SameMessage(*message, *again));
  return 0;
}
