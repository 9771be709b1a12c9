// Hostile bytes as a Hello and as a HelloReply: refused, or judged.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "net/handshake.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {
namespace {

net::Identity Node(NodeId id) {
  return {.id = id, .cluster = "blue", .generation = 5, .instance = 100u + id, .fingerprint = 42};
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const net::Hello hello = net::MakeHello(Node(1), 2);
  std::vector<std::string> seeds(3);
  net::EncodeHello(hello, &seeds[0]);
  net::EncodeHelloReply(net::JudgeHello(Node(2), hello, true), &seeds[1]);
  net::EncodeHelloReply(net::JudgeHello(Node(2), hello, false), &seeds[2]);
  return seeds;
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<norn::net::Hello> hello = norn::net::DecodeHello(input);
  if (hello.ok()) {
    const norn::net::HelloReply verdict = JudgeHello(norn::Node(2), *hello, true);
    const bool accepted = verdict.verdict == norn::net::Verdict::kAccepted;
    CORE_CHECK(accepted == verdict.text.empty());
    // An accepted Hello was right in all that must agree.
    CORE_CHECK(!accepted || (hello->cluster == "blue" && hello->to == 2 && hello->node != 2 &&
                             hello->fingerprint == 42));
    std::string bytes;
    EncodeHelloReply(verdict, &bytes);
    CORE_CHECK(bytes.size() <= norn::net::kHandshakeBytesMax);
  }
  const absl::StatusOr<norn::net::HelloReply> reply = norn::net::DecodeHelloReply(input);
  if (reply.ok() && CheckReply(norn::Node(1), 2, *reply).ok()) {
    CORE_CHECK(reply->node == 2 && reply->cluster == "blue" && reply->fingerprint == 42);
  }
  return 0;
}
