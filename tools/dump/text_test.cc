// How bytes, facts and entries are written, and how the command line is read.

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/causality/record.h"
#include "core/replication/hint_record.h"
#include "core/types.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/record_storage.h"
#include "tools/dump/bytes_text.h"
#include "tools/dump/console.h"
#include "tools/dump/entry_text.h"
#include "tools/dump/fact.h"
#include "tools/dump/options.h"
#include "tools/dump/testing/store_fixture.h"

namespace norn::dump {
namespace {

using testing::HasSubstr;

TEST(BytesTextTest, WhatIsPrintable) {
  for (const char* const text : {"", "user:1", "größe", "日本", "🙂", "tilde ~", "a \\ \" b"}) {
    EXPECT_TRUE(IsPrintable(text)) << text;
  }
  const std::string zero(1, '\0');
  for (const std::string& bytes : std::vector<std::string>{zero,
                                                           "line\n",
                                                           "\x1b[2J",
                                                           "\x7f",
                                                           "\xc2\x9b",  // C1: CSI
                                                           "\xff",
                                                           "\x80",
                                                           "\xc3",
                                                           "\xe2\x82",
                                                           "\xf0\x9f\x99",  // cut
                                                           "\xc0\xaf",
                                                           "\xe0\x80\xaf",
                                                           "\xf0\x80\x80\xaf",  // not shortest
                                                           "\xed\xa0\x80",
                                                           "\xf4\x90\x80\x80",
                                                           "\xf8\x88\x80\x80\x80",
                                                           "\xe2\x80\xae",
                                                           "\xe2\x80\xa8",
                                                           "\xef\xbb\xbf",
                                                           "\xef\xbf\xbf"}) {
    EXPECT_FALSE(IsPrintable(bytes)) << Hex(bytes);
  }
}

TEST(BytesTextTest, QuotedIsUnambiguous) {
  EXPECT_EQ(Quoted("abc"), "\"abc\"");
  EXPECT_EQ(Quoted("0x61"), "\"0x61\"");
  EXPECT_EQ(Quoted("a\"\\"), "\"a\\\"\\\\\"");
  EXPECT_EQ(Quoted("a\n"), "0x610a");
  EXPECT_EQ(Quoted("abc", /*hex=*/true), "0x616263");
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Sanitized("a\x1b[2J\xff\n"), "a\\x1b[2J\\xff\\x0a");
}

TEST(BytesTextTest, JsonStrings) {
  EXPECT_EQ(JsonString("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(JsonString("\n\x01\x7f"), "\"\\u000a\\u0001\\u007f\"");
  EXPECT_EQ(JsonString("\xff"), "\"\\ufffd\"");
  EXPECT_EQ(JsonString("größe"), "\"größe\"");
  std::string lines;
  for (int lead = 0; lead < 256; ++lead) {
    for (int next = 0; next < 256; ++next) {
      const std::string bytes = {static_cast<char>(lead), static_cast<char>(next)};
      lines += "{\"k\":" + JsonString(bytes) + "}\n";
    }
  }
  EXPECT_EQ(JsonErrors(lines), "");
  EXPECT_NE(JsonErrors("{\"k\":\"\n\"}"), "") << "the check itself";
}

TEST(BytesTextTest, WallTimes) {
  EXPECT_EQ(WallTime(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(WallTime(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(WallTime(1'700'000'000'000'017), "2023-11-14T22:13:20.000017Z");
  EXPECT_EQ(WallTime(253'402'300'799'999'999), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(WallTime(253'402'300'800'000'000), "253402300800000000 us");
  EXPECT_EQ(WallTime(INT64_MIN), "-9223372036854775808 us");
}

TEST(FactTest, TheSameFieldsAsTextAndAsJson) {
  Fact fact("some_thing");
  fact.Number("first_number", 18446744073709551615u)
      .Signed("signed", -3)
      .Flag("flag", true)
      .Text("text", "a\nb")
      .Id("id", 255)
      .Bytes("key", "k")
      .Bytes("other", std::string("\0", 1));
  fact.Part("parts", Fact("inner").Number("n", 1));
  fact.Part("parts", Fact("inner").Number("n", 2));
  EXPECT_EQ(fact.Json(),
            "{\"type\":\"some_thing\",\"first_number\":18446744073709551615,\"signed\":-3,"
            "\"flag\":true,\"text\":\"a\\u000ab\",\"id\":\"00000000000000ff\",\"key\":\"k\","
            "\"other_hex\":\"00\",\"parts\":[{\"type\":\"inner\",\"n\":1},{\"type\":\"inner\","
            "\"n\":2}]}");
  EXPECT_EQ(JsonErrors(fact.Json() + "\n"), "");
  EXPECT_EQ(fact.Lines(),
            "some thing: first number 18446744073709551615, signed -3, flag yes, text a\\x0ab, id "
            "00000000000000ff, key \"k\", other 0x00\n  inner: n 1\n  inner: n 2\n");
  EXPECT_EQ(Fact("x").Number("n", 1).Say("one\t1").Lines(1), "  one\\x091\n");
}

TEST(ConsoleTest, ExitCodesAndStreams) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, /*json=*/false);
  EXPECT_EQ(console.ExitCode(), kExitFine);
  console.Report({Gravity::kNotice, "/f", std::nullopt, "odd", "never mind"});
  EXPECT_EQ(console.ExitCode(), kExitFine);
  console.Report({Gravity::kUnreadable, "/g", std::nullopt, "closed", "open it"});
  EXPECT_EQ(console.ExitCode(), kExitUnusable);
  console.Report({Gravity::kDamage, "/h", 12, "bad", "mend it"});
  EXPECT_EQ(console.ExitCode(), kExitDamage);
  EXPECT_EQ(out.str(), "note: /f: odd; never mind\nDAMAGE: /h at offset 12: bad; mend it\n");
  EXPECT_EQ(err.str(), "norn-dump: /g: closed; open it\n");
}

TEST(ConsoleTest, ProgressIsWipedBeforeWords) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, /*json=*/false);
  console.Progress("unseen");
  EXPECT_EQ(err.str(), "");
  console.set_shows_progress(true);
  console.Progress("50 %");
  console.Print(Fact("done"));
  EXPECT_EQ(err.str(), "\r\r50 %\r    \r");
}

TEST(EntryTextTest, HintsTellWhomTheyAreFor) {
  Record record;
  record.Put(Version{Dot{MakeIncarnation(3, 1), 1}, 5, false, "v"}, VersionVector());
  HintView hint;
  const std::string bytes = record.Encode();
  hint.owners = {2, 7};
  hint.record = bytes;
  const std::string key = storage::MakeEngineKey(kHintSpace, MakeRecordKey(0, "user:1"));
  const std::string text = EntryFact(9, key, hint.Encode(), Options()).Lines();
  EXPECT_NE(text.find("hint for 2, 7: record of"), std::string::npos) << text;
  EXPECT_NE(EntryFact(9, key, std::nullopt, Options()).Lines().find("deleted"), std::string::npos);
}

TEST(EntryTextTest, EngineKeysAreTakenApart) {
  const std::string key = storage::MakeEngineKey(0x0102, MakeRecordKey(0x0304, "user:1"));
  const std::optional<EngineKeyParts> parts = SplitEngineKey(key);
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->partition, 0x0102);
  EXPECT_EQ(parts->bucket, 0x0304);
  EXPECT_EQ(parts->key, "user:1");
  EXPECT_TRUE(SplitEngineKey(std::string(6, '\0')).has_value());
  EXPECT_FALSE(SplitEngineKey(std::string(5, '\0')).has_value());
  EXPECT_EQ(KeyText("abc", false), "engine key 0x616263");
  EXPECT_THAT(EntryFact(1, "abc", "", Options()).Json(),
              HasSubstr("\"engine_key_hex\":\"616263\""));
}

TEST(EntryTextTest, AnEmptyValueIsTheEmptyRecord) {
  const Fact fact = EntryFact(9, "\1\2\3\4k", "", Options());
  EXPECT_THAT(fact.Lines(), HasSubstr("record of 0 bytes, no value"));
}

TEST(OptionsTest, WhatIsUnderstood) {
  const absl::StatusOr<Options> options =
      ParseArguments({"sst", "--limit", "5", "f", "--from", "0x00ff", "--to", "z", "--values"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->command, Options::Command::kTable);
  EXPECT_EQ(options->path, "f");
  EXPECT_EQ(options->limit, 5u);
  EXPECT_TRUE(options->values);
  EXPECT_TRUE(options->from->is_engine_key);
  EXPECT_EQ(options->from->bytes, std::string("\0\xff", 2));
  EXPECT_FALSE(options->to->is_engine_key);
  EXPECT_EQ(ParseArguments({"wal", "--", "--odd"})->path, "--odd");
  EXPECT_EQ(ParseArguments({"wal", "--help"})->command, Options::Command::kHelp);
}

TEST(OptionsTest, WhatIsNot) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"wal"},
      {"wal", ""},
      {"wal", "a", "b"},
      {"eat", "a"},
      {"wal", "a", "--odd"},
      {"wal", "a", "--limit"},
      {"wal", "a", "--limit", "-1"},
      {"wal", "a", "--limit", "many"},
      {"wal", "a", "--from", "b"},
      {"sst", "a", "--from", "0x1"},
      {"sst", "a", "--from", "0xgg"},
  };
  for (const std::vector<std::string>& arguments : wrong) {
    EXPECT_FALSE(ParseArguments(arguments).ok()) << testing::PrintToString(arguments);
    const Outcome outcome = RunDump(arguments);
    EXPECT_EQ(outcome.exit_code, kExitUnusable);
    EXPECT_THAT(outcome.err, HasSubstr("see: norn-dump help"));
    EXPECT_EQ(outcome.out, "");
  }
  const Outcome help = RunDump({"help"});
  EXPECT_EQ(help.exit_code, kExitFine);
  EXPECT_EQ(help.out, kUsage);
}

}  // namespace
}  // namespace norn::dump
