#include "net/frame.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "net/message_testing.h"
#include "rapidcheck/gtest.h"

namespace norn::net {
namespace {

// All frames that are complete.
std::vector<std::string> Drain(FrameParser* parser) {
  std::vector<std::string> frames;
  absl::string_view payload;
  while (parser->Next(&payload)) frames.emplace_back(payload);
  return frames;
}

std::string Frame(absl::string_view payload) {
  std::string bytes;
  AppendFrame(payload, &bytes);
  return bytes;
}

TEST(FrameTest, BytesOnTheWire) {
  // The CRC-32C of "123456789" is the check value of every catalogue: e3069283.
  EXPECT_EQ(Frame("123456789"), std::string("\x09\0\0\0\x83\x92\x06\xe3", 8) + "123456789");
}

TEST(FrameTest, BuiltInPlace) {
  std::string bytes = Frame("one");
  const size_t begin = BeginFrame(&bytes);
  bytes += "two";
  EndFrame(begin, &bytes);
  EXPECT_EQ(bytes, Frame("one") + Frame("two"));
}

// However the stream is cut, the frames are the same; what is missing is waited for.
RC_GTEST_PROP(FramePropertyTest, ArbitrarySplits, (uint64_t seed)) {
  Random random(seed);
  const bool preamble = random.Chance(1, 2);
  std::string stream = preamble ? "PREAMBLE" : "";
  std::vector<std::string> sent(random.Below(20));
  for (std::string& payload : sent) {
    const uint64_t size_max = random.Chance(1, 10) ? 100'000 : 100;
    payload = RandomBytes(&random, 1 + random.Below(size_max));
    AppendFrame(payload, &stream);
  }
  FrameParser parser(100'000, preamble ? "PREAMBLE" : "");
  std::vector<std::string> received;
  const uint64_t piece_max = uint64_t{1} << random.Between(1, 17);
  for (absl::string_view rest = stream; !rest.empty();) {
    const size_t size = std::min<size_t>(rest.size(), 1 + random.Below(piece_max));
    parser.Append(rest.substr(0, size));
    rest.remove_prefix(size);
    // Sometimes several pieces come before anybody looks.
    if (random.Chance(3, 4) || rest.empty()) {
      for (std::string& frame : Drain(&parser)) received.push_back(std::move(frame));
    }
  }
  RC_ASSERT(parser.status().ok());
  RC_ASSERT(received == sent);
  RC_ASSERT(parser.buffered() == 0u);
}

// One bit that flips is noticed: by the checksum, by the limit, or by the bytes that the
// frame then lacks. Never does another payload come out.
RC_GTEST_PROP(FramePropertyTest, FlippedBits, (uint64_t seed)) {
  Random random(seed);
  const std::string payload = RandomBytes(&random, 1 + random.Below(300));
  std::string stream = Frame(payload);
  const size_t at = random.Below(stream.size());
  stream[at] = static_cast<char>(stream[at] ^ (1 << random.Below(8)));
  FrameParser parser;
  parser.Append(stream);
  RC_ASSERT(Drain(&parser).empty());
}

TEST(FrameErrorTest, ErrorsAreClearAndFinal) {
  struct {
    std::string stream;
    absl::StatusCode code;
    std::string text;
  } cases[] = {
      {std::string(8, '\0'), absl::StatusCode::kDataLoss, "bad frame: its length is 0"},
      {Frame(std::string(101, 'x')), absl::StatusCode::kResourceExhausted,
       "bad frame: its length, 101 bytes, is over the limit of 100"},
      {std::string("\x01\0\0\0\0\0\0\0x", 9), absl::StatusCode::kDataLoss,
       "bad frame: the checksum of its 1 bytes does not match"},
  };
  for (const auto& c : cases) {
    FrameParser parser(100);
    parser.Append(Frame("good"));
    parser.Append(c.stream);
    EXPECT_EQ(Drain(&parser), std::vector<std::string>{"good"});
    EXPECT_EQ(parser.status().code(), c.code);
    EXPECT_EQ(parser.status().message(), c.text);
    parser.Append(Frame("too late"));
    EXPECT_TRUE(Drain(&parser).empty());
    EXPECT_EQ(parser.status().message(), c.text);
  }
}

TEST(FrameErrorTest, AnOversizedFrameIsRefusedByItsHeader) {
  FrameParser parser(100);
  parser.Append(Frame(std::string(101, 'x')).substr(0, kFrameHeaderBytes));
  EXPECT_TRUE(Drain(&parser).empty());
  EXPECT_FALSE(parser.status().ok());
}

TEST(FrameErrorTest, TheLimitCanBeRaisedBetweenFrames) {
  FrameParser parser(4);
  parser.Append(Frame("hi") + Frame("longer"));
  absl::string_view payload;
  ASSERT_TRUE(parser.Next(&payload));
  parser.set_payload_bytes_max(6);
  ASSERT_TRUE(parser.Next(&payload));
  EXPECT_EQ(payload, "longer");
}

TEST(FramePreambleTest, StrangersAreNoticedAtTheFirstWrongByte) {
  FrameParser http(100, "NORN-P2P");
  http.Append("GET / HTTP/1.1\r\nHost: x\r\n");
  EXPECT_TRUE(Drain(&http).empty());
  EXPECT_EQ(http.status().message(),
            "no Norn peer: expected \"NORN-P2P\", got \"GET / HTTP/1.1\\r\\n\"");

  FrameParser brief(100, "NORN-P2P");
  brief.Append("NO");
  EXPECT_TRUE(Drain(&brief).empty());
  EXPECT_TRUE(brief.status().ok());
  brief.Append("P");
  EXPECT_TRUE(Drain(&brief).empty());
  EXPECT_FALSE(brief.status().ok());
}

// A header may announce much; memory is claimed for what has come.
TEST(FrameMemoryTest, AnnouncedBytesAreNotAllocated) {
  FrameParser parser;
  std::string stream = Frame(std::string(kFramePayloadBytesMax, 'x'));
  parser.Append(absl::string_view(stream).substr(0, kFrameHeaderBytes + 1000));
  EXPECT_TRUE(Drain(&parser).empty());
  EXPECT_LE(parser.Reserve(4096).size(), 8192u);
}

TEST(FrameMemoryTest, ALargeBufferIsGivenBack) {
  FrameParser parser;
  parser.Append(Frame(std::string(4u << 20, 'x')));
  EXPECT_EQ(Drain(&parser).size(), 1u);
  EXPECT_LE(parser.Reserve(4096).size(), 4096u);
}

}  // namespace
}  // namespace norn::net
