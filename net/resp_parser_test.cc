#include "net/resp_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/message_testing.h"
#include "net/resp_glob.h"
#include "net/resp_integer.h"
#include "rapidcheck/gtest.h"

namespace norn::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Words = std::vector<std::string>;

struct Parsed {
  std::vector<Words> commands;
  std::string error;
  size_t left = 0;  // bytes that were not consumed
};

// Feeds `stream` in pieces of up to `piece_max` bytes, moving the bytes as a connection does.
Parsed Parse(absl::string_view stream, size_t piece_max = 1 << 20, uint64_t seed = 1,
             const RespRequestLimits& limits = {}) {
  Random random(seed);
  RespRequestParser parser(limits);
  Parsed parsed;
  std::string buffer;
  while (!stream.empty()) {
    const size_t piece = std::min<size_t>(stream.size(), 1 + random.Below(piece_max));
    buffer = absl::StrCat(buffer, stream.substr(0, piece));
    stream.remove_prefix(piece);
    auto result = parser.Next(buffer);
    for (; result == RespRequestParser::Result::kCommand; result = parser.Next(buffer)) {
      Words& words = parsed.commands.emplace_back();
      for (const absl::string_view word : parser.arguments()) words.emplace_back(word);
      buffer.erase(0, parser.consumed());
    }
    if (result == RespRequestParser::Result::kError) {
      parsed.error = parser.error();
      return parsed;
    }
    buffer.erase(0, parser.consumed());
  }
  parsed.left = buffer.size();
  return parsed;
}

std::string Encode(const Words& words) {
  std::string bytes = absl::StrCat("*", words.size(), "\r\n");
  for (const std::string& word : words) {
    absl::StrAppend(&bytes, "$", word.size(), "\r\n", word, "\r\n");
  }
  return bytes;
}

std::string ErrorOf(absl::string_view stream, const RespRequestLimits& limits = {}) {
  const std::string whole = Parse(stream, 1 << 20, 1, limits).error;
  EXPECT_EQ(Parse(stream, 1, 1, limits).error, whole);
  return whole;
}

Words Inline(absl::string_view line) {
  const Parsed parsed = Parse(absl::StrCat(line, "\r\n"));
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.left, 0u);
  return parsed.commands.size() == 1 ? parsed.commands[0] : Words{"not one command"};
}

// However the stream is cut, the commands are the same, and no byte is left over.
RC_GTEST_PROP(RespParserPropertyTest, ArbitrarySplits, (uint64_t seed)) {
  Random random(seed);
  std::string stream;
  std::vector<Words> sent;
  for (uint64_t n = random.Below(12); n > 0; --n) {
    if (random.Chance(1, 6)) stream += "*0\r\n";
    if (random.Chance(1, 6)) stream += "*-1\r\n";
    if (random.Chance(1, 6)) stream += random.Chance(1, 2) ? "\r\n" : " \n";
    if (random.Chance(1, 5)) {
      stream += "set  'a b'\t\"c\\x00\\n\" d\r\n";
      sent.push_back({"set", "a b", std::string("c\0\n", 3), "d"});
      continue;
    }
    Words& words = sent.emplace_back(1 + random.Below(6));
    for (std::string& word : words) {
      word = RandomBytes(&random, random.Below(random.Chance(1, 10) ? 20'000 : 30));
    }
    stream += Encode(words);
  }
  const size_t piece_max = size_t{1} << random.Below(16);
  const Parsed parsed = Parse(stream, piece_max, seed);
  RC_ASSERT(parsed.error == "");
  RC_ASSERT(parsed.left == 0u);
  RC_ASSERT(parsed.commands == sent);
}

// Arbitrary bytes come to the same end however they are cut.
RC_GTEST_PROP(RespParserPropertyTest, HostileBytes, (uint64_t seed)) {
  Random random(seed);
  constexpr absl::string_view kAlphabet = "**$$\r\n\r\n\r\n00112-\"'\\x ";
  std::string stream;
  for (uint64_t n = random.Below(200); n > 0; --n) {
    stream.push_back(random.Chance(1, 30) ? static_cast<char>(random.Below(256))
                                          : kAlphabet[random.Below(kAlphabet.size())]);
  }
  const Parsed whole = Parse(stream);
  const Parsed bytes = Parse(stream, 1);
  RC_ASSERT(bytes.commands == whole.commands);
  RC_ASSERT(bytes.error == whole.error);
  RC_ASSERT(bytes.left == whole.left);
  for (const Words& words : whole.commands) RC_ASSERT(!words.empty());
}

TEST(RespParserTest, BytesOnTheWire) {
  const Parsed parsed = Parse("*2\r\n$3\r\nGET\r\n$4\r\n\r\n$1\r\n*1\r\n$0\r\n\r\n*1");
  EXPECT_THAT(parsed.commands, ElementsAre(ElementsAre("GET", "\r\n$1"), ElementsAre("")));
  EXPECT_EQ(parsed.left, 2u);
}

TEST(RespParserTest, EmptyCommandsAreSkippedAndConsumed) {
  const Parsed parsed = Parse("*0\r\n*-1\r\n\r\n\n  \t \r\n");
  EXPECT_THAT(parsed.commands, IsEmpty());
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.left, 0u);
}

TEST(RespParserTest, MultibulkArgumentsAreViewsOfTheCallersBytes) {
  const std::string data = "*1\r\n$4\r\nPING\r\n";
  RespRequestParser parser({});
  ASSERT_EQ(parser.Next(data), RespRequestParser::Result::kCommand);
  EXPECT_EQ(static_cast<const void*>(parser.arguments()[0].data()), data.data() + 8);
  EXPECT_EQ(parser.consumed(), data.size());
}

TEST(RespParserTest, InlineCommands) {
  EXPECT_THAT(Inline("PING"), ElementsAre("PING"));
  EXPECT_THAT(Inline("  set \t k  v "), ElementsAre("set", "k", "v"));
  EXPECT_THAT(Parse("a b\nc\n").commands, ElementsAre(ElementsAre("a", "b"), ElementsAre("c")));
  EXPECT_THAT(Inline("$3"), ElementsAre("$3"));
}

TEST(RespParserTest, Quotes) {
  EXPECT_THAT(Inline(R"(set "a b" 'c d')"), ElementsAre("set", "a b", "c d"));
  EXPECT_THAT(Inline(R"(e "" '')"), ElementsAre("e", "", ""));
  EXPECT_THAT(Inline(R"(e "\n\r\t\b\a\"\\\q")"), ElementsAre("e", "\n\r\t\b\a\"\\q"));
  EXPECT_THAT(Inline(R"(e "\x41\xfF\xg0\x4")"), ElementsAre("e",
                                                            "A\xff"
                                                            "xg0x4"));
  EXPECT_THAT(Inline(R"(e 'it\'s \n "x"')"), ElementsAre("e", R"(it's \n "x")"));
  EXPECT_THAT(Inline(R"(e pre"fix")"), ElementsAre("e", "prefix"));
  EXPECT_THAT(Inline(R"(e back\slash)"), ElementsAre("e", R"(back\slash)"));
}

TEST(RespParserTest, UnbalancedQuotes) {
  constexpr absl::string_view kError = "Protocol error: unbalanced quotes in request";
  EXPECT_EQ(ErrorOf("set \"a\r\n"), kError);
  EXPECT_EQ(ErrorOf("set 'a\r\n"), kError);
  EXPECT_EQ(ErrorOf("set \"a\\\r\n"), kError);
  EXPECT_EQ(ErrorOf("set \"a\\\"\r\n"), kError);
  EXPECT_EQ(ErrorOf("set \"a\"b\r\n"), kError);
  EXPECT_EQ(ErrorOf("set 'a'\"b\"\r\n"), kError);
}

TEST(RespParserTest, ProtocolErrors) {
  for (const char* count : {"", "x", "1x", "+1", " 1", "01", "-0", "0x1", "1048577",
                            "9223372036854775808", "99999999999999999999"}) {
    EXPECT_EQ(ErrorOf(absl::StrCat("*", count, "\r\n")), "Protocol error: invalid multibulk length")
        << count;
  }
  for (const char* bytes : {"", "x", "-1", "+1", "03", "8388609", "9223372036854775807"}) {
    EXPECT_EQ(ErrorOf(absl::StrCat("*1\r\n$", bytes, "\r\n")),
              "Protocol error: invalid bulk length")
        << bytes;
  }
  EXPECT_EQ(ErrorOf("*1\r\n:5\r\n"), "Protocol error: expected '$', got ':'");
  EXPECT_EQ(ErrorOf("*2\r\n$1\r\na\r\n\r\n"), "Protocol error: expected '$', got '\r'");
  EXPECT_EQ(ErrorOf("*1\r\n$1\r\nabc"), "Protocol error: expected CRLF behind a bulk string");
  EXPECT_EQ(ErrorOf("*1\r\n$1\r\na\rb"), "Protocol error: expected CRLF behind a bulk string");
}

TEST(RespParserTest, CommandsBeforeAnErrorAreTaken) {
  const Parsed parsed = Parse("PING\r\n*1\r\n$4\r\nQUIT\r\n*z\r\nPING\r\n");
  EXPECT_THAT(parsed.commands, ElementsAre(ElementsAre("PING"), ElementsAre("QUIT")));
  EXPECT_EQ(parsed.error, "Protocol error: invalid multibulk length");
}

TEST(RespParserTest, LimitsAreReachedAndNotPassed) {
  const RespRequestLimits limits{
      .arguments_max = 3, .bulk_bytes_max = 20, .line_bytes_max = 10, .command_bytes_max = 50};
  const auto accepts = [&](absl::string_view stream) {
    const Parsed parsed = Parse(stream, 1, 1, limits);
    return parsed.error.empty() && parsed.commands.size() == 1;
  };
  EXPECT_TRUE(accepts(Encode({"a", "b", "c"})));
  EXPECT_EQ(ErrorOf(Encode({"a", "b", "c", "d"}), limits),
            "Protocol error: invalid multibulk length");
  EXPECT_TRUE(accepts(Encode({std::string(20, 'x')})));
  EXPECT_EQ(ErrorOf(Encode({std::string(21, 'x')}), limits), "Protocol error: invalid bulk length");
  // "*2" CRLF, "$20" CRLF, 20 bytes, CRLF, "$12" CRLF are 36 bytes: 14 more are left.
  EXPECT_TRUE(accepts(Encode({std::string(20, 'x'), std::string(14, 'y')})));
  EXPECT_EQ(ErrorOf(Encode({std::string(20, 'x'), std::string(15, 'y')}), limits),
            "Protocol error: too big request");
  EXPECT_TRUE(accepts("0123456789\n"));
  EXPECT_EQ(ErrorOf("01234567890\n", limits), "Protocol error: too big inline request");
  // No end of the line needs to come.
  EXPECT_EQ(ErrorOf("01234567890", limits), "Protocol error: too big inline request");
  EXPECT_EQ(ErrorOf("*0000000000", limits), "Protocol error: too big mbulk count string");
  EXPECT_EQ(ErrorOf("*1\r\n$0000000000", limits), "Protocol error: too big bulk count string");
}

// Each command has all of command_bytes_max, whatever came before it in the same buffer.
TEST(RespParserTest, LimitsAreOfOneCommand) {
  const RespRequestLimits limits{
      .arguments_max = 3, .bulk_bytes_max = 20, .line_bytes_max = 10, .command_bytes_max = 30};
  std::string stream;
  for (int i = 0; i < 10; ++i) stream += Encode({std::string(20, 'x')});
  EXPECT_EQ(Parse(stream, 1 << 20, 1, limits).commands.size(), 10u);
}

TEST(RespIntegerTest, OnlyPlainDecimals) {
  int64_t value = 0;
  EXPECT_TRUE(ParseRespInteger("-9223372036854775808", &value));
  EXPECT_EQ(value, INT64_MIN);
  EXPECT_TRUE(ParseRespInteger("0", &value));
  EXPECT_EQ(value, 0);
  for (const char* bad : {"", "-", "-0", "00", "+1", " 1", "1 ", "1.0", "--1"}) {
    EXPECT_FALSE(ParseRespInteger(bad, &value)) << bad;
  }
}

TEST(RespGlobTest, Patterns) {
  EXPECT_TRUE(MatchRespGlob("*", ""));
  EXPECT_TRUE(MatchRespGlob("a*c", "abbc"));
  EXPECT_TRUE(MatchRespGlob("*ab*ab", "abxabab"));
  EXPECT_TRUE(MatchRespGlob("a?c", "abc"));
  EXPECT_TRUE(MatchRespGlob("a\\*", "a*"));
  EXPECT_TRUE(MatchRespGlob("\\", "\\"));
  EXPECT_FALSE(MatchRespGlob("a\\*", "ab"));
  EXPECT_FALSE(MatchRespGlob("a\\?", "ab"));
  EXPECT_FALSE(MatchRespGlob("a?", "a"));
  EXPECT_FALSE(MatchRespGlob("", "a"));
  EXPECT_FALSE(MatchRespGlob("*a", "ab"));
}

}  // namespace
}  // namespace norn::net
