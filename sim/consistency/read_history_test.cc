#include "sim/consistency/read_history.h"

#include <sstream>

#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/consistency/check_history.h"

namespace norn::consistency {
namespace {

absl::StatusOr<History> Jsonl(const std::string& text, bool cas = true) {
  std::istringstream in(text);
  BuilderOptions options;
  options.cas = cas;
  return ReadJsonl(in, "h.jsonl", options);
}

absl::StatusOr<History> Edn(const std::string& text) {
  std::istringstream in(text);
  BuilderOptions options;
  options.cas = true;
  return ReadEdn(in, "h.edn", options);
}

// What is said, from the file and line on.
void ExpectRefused(const absl::StatusOr<History>& history, const std::string& place,
                   const std::string& what) {
  ASSERT_FALSE(history.ok()) << "accepted, though " << what;
  const std::string said(history.status().message());
  EXPECT_EQ(said.substr(0, place.size()), place) << said;
  EXPECT_NE(said.find(what), std::string::npos) << said;
}

TEST(ReadJsonlTest, CallsAndAnswersBecomeOperations) {
  const auto history =
      Jsonl(R"({"process":3,"type":"invoke","f":"write","key":"k","value":7,"time":5}

{"process":"a","type":"invoke","f":"cas","key":"k","value":[7,"7"],"more":{"x":[1,{"value":2}]}}
{"process":3,"type":"ok","time":9}
{"process":"a","type":"info"}
{"process":3,"type":"invoke","f":"read","key":2}
{"process":"nemesis","type":"info","f":"partition","value":[[1],[2]]}
{"process":3,"type":"ok","f":"read","key":2,"value":null}
{"process":3,"type":"invoke","f":"write","key":2,"value":true}
)");
  ASSERT_TRUE(history.ok()) << history.status().message();
  EXPECT_EQ(history->operations, 4);
  EXPECT_EQ(history->completed, 2);
  ASSERT_EQ(history->keys.size(), 2u);
  const KeyHistory& k = history->keys[0];
  EXPECT_EQ(k.key, "\"k\"");
  EXPECT_EQ(k.values, (std::vector<std::string>{"null", "7", "\"7\""}));
  ASSERT_EQ(k.operations.size(), 2u);
  EXPECT_EQ(k.operations[0].outcome, Outcome::kOk);
  EXPECT_EQ(k.operations[0].call_line, 1);
  EXPECT_EQ(k.operations[0].end_line, 4);
  EXPECT_EQ(k.operations[0].end_time, 9);
  EXPECT_EQ(k.operations[1].kind, Kind::kCas);
  EXPECT_EQ(k.operations[1].outcome, Outcome::kUnknown);
  EXPECT_EQ(k.operations[1].end, kNever);
  EXPECT_EQ(k.operations[1].expected, 1);
  EXPECT_EQ(k.operations[1].value, 2);
  const KeyHistory& other = history->keys[1];
  EXPECT_EQ(other.key, "2");
  EXPECT_EQ(other.operations[0].value, kInitialValue);
  EXPECT_EQ(other.operations[1].outcome, Outcome::kUnknown);
}

TEST(ReadJsonlTest, BadInputIsNamedWithItsLine) {
  const std::string call = R"({"process":1,"type":"invoke","f":"write","value":1})"
                           "\n";
  ExpectRefused(Jsonl("{\"process\":1,"), "h.jsonl:1: ", "not JSON");
  ExpectRefused(Jsonl("[1]"), "h.jsonl:1: ", "not an object");
  ExpectRefused(Jsonl("7"), "h.jsonl:1: ", "not an object");
  ExpectRefused(Jsonl(call + R"({"type":"ok"})"), "h.jsonl:2: ", "\"process\" is missing");
  ExpectRefused(Jsonl(call + R"({"process":1})"), "h.jsonl:2: ", "\"type\" is missing");
  ExpectRefused(Jsonl(R"({"process":1,"type":"done"})"), "h.jsonl:1: ", "invoke, ok, fail or info");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","value":1})"),
                "h.jsonl:1: ", "\"f\" is missing");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"append","value":1})"),
                "h.jsonl:1: ", "read, write or cas");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"write"})"),
                "h.jsonl:1: ", "\"value\" is missing");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"write","value":1.5})"),
                "h.jsonl:1: ", "1.5");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"write","value":{"a":1}})"),
                "h.jsonl:1: ", "must be null");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"cas","value":[1]})"),
                "h.jsonl:1: ", "[EXPECTED, NEW]");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"cas","value":[1,[2]]})"),
                "h.jsonl:1: ", "must be null");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"cas","value":[1,2]})", false),
                "h.jsonl:1: ", "--model cas-register");
  ExpectRefused(Jsonl(R"({"process":1,"process":1})"), "h.jsonl:1: ", "twice");
  ExpectRefused(Jsonl(R"({"process":1.5,"type":"ok"})"), "h.jsonl:1: ", "\"process\"");
}

TEST(ReadJsonlTest, EventsThatDoNotFitTogetherAreRefused) {
  const std::string call = R"({"process":1,"type":"invoke","f":"write","value":1,"time":5})"
                           "\n";
  const std::string read = R"({"process":1,"type":"invoke","f":"read"})"
                           "\n";
  ExpectRefused(Jsonl(R"({"process":1,"type":"ok","f":"write","value":1})"),
                "h.jsonl:1: ", "no operation open");
  ExpectRefused(Jsonl(call + call), "h.jsonl:2: ", "two operations open: the one of line 1");
  ExpectRefused(Jsonl(call + R"({"process":1,"type":"ok","time":4})"),
                "h.jsonl:2: ", "\"time\" is 4 after 5");
  ExpectRefused(Jsonl(call + R"({"process":1,"type":"ok","value":2})"),
                "h.jsonl:2: ", "not what line 1 asked for");
  ExpectRefused(Jsonl(call + R"({"process":1,"type":"ok","f":"read"})"),
                "h.jsonl:2: ", "line 1 asked for a write");
  ExpectRefused(Jsonl(call + R"({"process":1,"type":"ok","key":3})"), "h.jsonl:2: ", "key is 3");
  ExpectRefused(Jsonl(read + R"({"process":1,"type":"ok"})"), "h.jsonl:2: ", "what was read?");
  ExpectRefused(Jsonl(call + R"({"process":2,"type":"invoke","f":"write","key":1,"value":1})"),
                "h.jsonl:2: ", "all must have one, or none");
  ExpectRefused(Jsonl(R"({"process":1,"type":"invoke","f":"read","index":4})"
                      "\n"
                      R"({"process":1,"type":"ok","value":null,"index":4})"),
                "h.jsonl:2: ", "\"index\" is 4 after 4");
}

TEST(ReadEdnTest, MapsOneAfterAnotherOrInAVector) {
  const std::string events = R"(
; a comment
{:process 0, :type :invoke, :f :write, :value 3, :time 10, :index 0}
#jepsen.history.Op{:process 0 :type :ok :f :write :value 3 :time 11 :index 1}
{:type :info, :f :start, :process :nemesis, :value {:grudge #{[1 2] "x"}}, :time 12, :index 2}
{:process 1, :type :invoke, :f :cas, :value [3 4], :time 13, :index 3 #_ignored}
{:process 2, :type :invoke, :f :read, :value nil, :time 14, :index 4}
{:process 1, :type :fail, :f :cas, :value [3 4], :error [:timeout \] "a \"b\""] :index 5}
{:process 2, :type :ok, :f :read, :value 3, :time 15, :index 6}
)";
  for (const std::string& text : {events, "[" + events + "]"}) {
    const auto history = Edn(text);
    ASSERT_TRUE(history.ok()) << history.status().message();
    EXPECT_EQ(history->operations, 3);
    ASSERT_EQ(history->keys.size(), 1u);
    EXPECT_EQ(history->keys[0].operations[1].outcome, Outcome::kFailed);
    EXPECT_EQ(CheckHistory(*history, Model::kCasRegister).verdict, Verdict::kValid);
  }
}

TEST(ReadEdnTest, IndependentKeys) {
  const auto history = Edn(R"({:process 0 :type :invoke :f :write :value [1 3]}
{:process 1 :type :invoke :f :cas :value [:x [3 4]]}
{:process 0 :type :ok :f :write :value [1 3]}
{:process 0 :type :invoke :f :read :value [1 nil]}
{:process 0 :type :ok :f :read :value [1 3]}
{:process 1 :type :info :f :cas :value [:x [3 4]]})");
  ASSERT_TRUE(history.ok()) << history.status().message();
  ASSERT_EQ(history->keys.size(), 2u);
  EXPECT_EQ(history->keys[0].key, "1");
  EXPECT_EQ(history->keys[1].key, ":x");
  EXPECT_EQ(history->keys[1].operations[0].kind, Kind::kCas);
  EXPECT_EQ(history->keys[1].values, (std::vector<std::string>{"null", "3", "4"}));
}

TEST(ReadEdnTest, BadInputIsNamedWithItsLine) {
  ExpectRefused(Edn("{:process 0\n:type"), "h.edn:2: ", "the file ends within a map");
  ExpectRefused(Edn("{:process 0\n\"ab"), "h.edn:2: ", "within a string");
  ExpectRefused(Edn("[\n{:process :nemesis}\n"), "h.edn:3: ", "\"]\" is missing");
  ExpectRefused(Edn("{:process 0}\n]"), "h.edn:1: ", "\"type\" is missing");
  ExpectRefused(Edn("{:process 0 :type}"), "h.edn:1: ", ":type has no value");
  ExpectRefused(Edn("[]\n{:process :nemesis}"), "h.edn:2: ", "a map is expected");
  ExpectRefused(Edn("{:process 0 :process 1}"), "h.edn:1: ", "twice");
  ExpectRefused(Edn("\n{:process 0 :type :ok :f :read :value 1}"),
                "h.edn:2: ", "no operation open");
  ExpectRefused(Edn("{:process 0 :type :invoke :f :write :value 1.5}"), "h.edn:1: ", "1.5");
  ExpectRefused(Edn("{:process " + std::string(100, '[')), "h.edn:1: ", "too deeply");
  ExpectRefused(Edn("{:process 0 :type :invoke :f :write :value 1}\n"
                    "{:process 1 :type :invoke :f :write :value [1 2]}"),
                "h.edn:2: ", "all must have one, or none");
}

// Whatever is done to a file, it is read, or refused with a line; and every verdict is one.
TEST(ReadHistoryTest, DamagedFilesAreReadOrRefused) {
  const std::string jsonl = R"({"process":1,"type":"invoke","f":"cas","key":"k","value":[1,null]}
{"process":2,"type":"invoke","f":"write","key":"k","value":true,"time":4,"more":[{"a":[]}]}
{"process":1,"type":"fail","f":"cas","value":[1,null]}
{"process":2,"type":"ok","key":"k","time":5}
)";
  const std::string edn = R"([{:process 0 :type :invoke :f :cas :value [1 [nil 2]] :index 0}
#a.b{:process 1, :type :invoke, :f :read :value [1 nil] :more #{"a\\" \] (1 #_2 3N)}}
{:process 1 :type :ok :f :read :value [1 2]}
{:process 0 :type :info :f :cas :value [1 [nil 2]]}])";
  const std::string bytes = "{}[]()\"\\:,#_;n0-9e.N \n\t\xff";
  Random random(5);
  int read = 0, refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool is_edn = random.Chance(1, 2);
    std::string text = is_edn ? edn : jsonl;
    for (uint64_t edits = 1 + random.Below(3); edits > 0; --edits) {
      const size_t at = random.Below(text.size());
      const uint64_t choice = random.Below(4);
      if (choice == 0) text.resize(at + 1);
      if (choice == 1) text[at] = bytes[random.Below(bytes.size())];
      if (choice == 2) text.insert(at, 1, bytes[random.Below(bytes.size())]);
      if (choice == 3) text.erase(at, 1 + random.Below(20));
      if (text.empty()) text = "x";
    }
    const auto history = is_edn ? Edn(text) : Jsonl(text);
    if (history.ok()) {
      ++read;
      const CheckResult result = CheckHistory(*history, Model::kCasRegister);
      ASSERT_FALSE(DescribeResult(*history, Model::kCasRegister, result).empty());
    } else {
      ++refused;
      const std::string said(history.status().message());
      const std::string place = is_edn ? "h.edn:" : "h.jsonl:";
      ASSERT_EQ(said.substr(0, place.size()), place) << said;
    }
  }
  EXPECT_GT(read, 300);
  EXPECT_GT(refused, 10'000);
}

TEST(CheckHistoryTest, KeysAreJudgedApartAndShown) {
  const auto history = Jsonl(
      R"({"process":1,"type":"invoke","f":"write","key":"a","value":1,"time":100}
{"process":1,"type":"ok","time":200}
{"process":2,"type":"invoke","f":"read","key":"b"}
{"process":2,"type":"ok","value":null}
{"process":2,"type":"invoke","f":"read","key":"a"}
{"process":2,"type":"ok","value":null})");
  ASSERT_TRUE(history.ok()) << history.status().message();
  const CheckResult result = CheckHistory(*history, Model::kRegister);
  EXPECT_EQ(result.verdict, Verdict::kViolated);
  EXPECT_EQ(result.keys_violated, 1);
  const std::string text = DescribeResult(*history, Model::kRegister, result);
  EXPECT_NE(text.find("key \"a\": VIOLATED"), std::string::npos) << text;
  EXPECT_NE(text.find("write 1    ok       line 1, time 100  line 2, time 200"), std::string::npos)
      << text;
  const std::string json = ResultJson(*history, Model::kRegister, result);
  EXPECT_NE(json.find("\"keys_violated\":1"), std::string::npos) << json;
  // To sessions it is no violation: the reader has seen nothing before.
  EXPECT_EQ(CheckHistory(*history, Model::kSessions).verdict, Verdict::kValid);
}

TEST(CheckHistoryTest, RegistersWithRepeatedValuesAreSearched) {
  const auto history = Jsonl(R"({"process":1,"type":"invoke","f":"write","value":1}
{"process":1,"type":"ok"}
{"process":1,"type":"invoke","f":"write","value":2}
{"process":1,"type":"ok"}
{"process":1,"type":"invoke","f":"write","value":1}
{"process":1,"type":"ok"}
{"process":2,"type":"invoke","f":"read"}
{"process":2,"type":"ok","value":1})");
  ASSERT_TRUE(history.ok());
  EXPECT_EQ(CheckHistory(*history, Model::kRegister).verdict, Verdict::kValid);
  EXPECT_EQ(CheckHistory(*history, Model::kSessions).verdict, Verdict::kUnknown);
}

TEST(CheckHistoryTest, SilenceIsNotValid) {
  const auto history = Jsonl(R"({"process":1,"type":"invoke","f":"write","value":1})");
  ASSERT_TRUE(history.ok());
  EXPECT_EQ(CheckHistory(*history, Model::kRegister).verdict, Verdict::kUnknown);
}

}  // namespace
}  // namespace norn::consistency
