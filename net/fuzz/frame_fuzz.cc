// A hostile stream: however it is cut into pieces, the parser sees the same frames and comes
// to the same end.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/random.h"
#include "net/frame.h"
#include "net/message_testing.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {
namespace {

constexpr size_t kPayloadBytesMax = 1000;

struct Outcome {
  std::vector<std::string> frames;
  absl::Status status;
};

// Feeds `stream` in pieces of up to `piece_max` bytes.
Outcome Parse(absl::string_view stream, size_t piece_max, Random* random) {
  net::FrameParser parser(kPayloadBytesMax, "NORN");
  Outcome outcome;
  do {
    const size_t size = std::min<size_t>(stream.size(), 1 + random->Below(piece_max));
    parser.Append(stream.substr(0, size));
    stream.remove_prefix(size);
    absl::string_view payload;
    while (parser.Next(&payload)) outcome.frames.emplace_back(payload);
  } while (!stream.empty());
  outcome.status = parser.status();
  return outcome;
}

}  // namespace

// The first byte of an input is the size of its pieces.
std::vector<std::string> FuzzSeeds() {
  Random random(1);
  std::vector<std::string> seeds;
  for (int i = 0; i < 50; ++i) {
    std::string& seed = seeds.emplace_back(1, static_cast<char>(random.Below(256)));
    seed += "NORN";
    for (uint64_t frames = random.Below(6); frames > 0; --frames) {
      net::AppendFrame(net::RandomBytes(&random, 1 + random.Below(60)), &seed);
    }
  }
  return seeds;
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
  norn::Random random(1);
  const norn::Outcome whole = norn::Parse(stream, size, &random);
  for (const std::string& frame : whole.frames) {
    CORE_CHECK(!frame.empty() && frame.size() <= norn::kPayloadBytesMax);
  }
  const norn::Outcome pieces = norn::Parse(stream, size_t{data[0]} + 1, &random);
  const norn::Outcome bytes = norn::Parse(stream, 1, &random);
  CORE_CHECK(pieces.frames == whole.frames && bytes.frames == whole.frames);
  // The text of an error may show how far the parser saw; that there is one may not differ.
  CORE_CHECK(pieces.status.code() == whole.status.code());
  CORE_CHECK(bytes.status.code() == whole.status.code());
  return 0;
}
