#include "net/resp_session.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/client.h"
#include "core/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/resp_command_table.h"
#include "net/resp_services.h"
#include "net/resp_session_fixture.h"
#include "net/resp_testing.h"
#include "net/resp_ticket.h"
#include "rapidcheck/gtest.h"

namespace norn::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Outcome = ClientReply::Outcome;
TEST(RespSessionTest, GetSetDelExists) {
  Fixture f;
  EXPECT_EQ(f.Ask("GET k"), "$-1\r\n");
  EXPECT_EQ(f.Ask("set k v"), "+OK\r\n");
  EXPECT_EQ(f.Ask("gEt k"), "$1\r\nv\r\n");
  EXPECT_EQ(f.Ask("EXISTS k x k"), ":2\r\n");
  EXPECT_EQ(f.Ask("DEL k x k"), ":1\r\n");
  EXPECT_EQ(f.Ask("DEL k"), ":0\r\n");
  EXPECT_EQ(f.Ask("EXISTS k"), ":0\r\n");
  EXPECT_TRUE(f.session.idle());
  EXPECT_EQ(f.session.commands(), 7u);
}

TEST(RespSessionTest, ValuesAndKeysAreBytes) {
  Fixture f;
  const std::string bytes("\0\r\n$-1\r\n", 9);
  EXPECT_TRUE(f.Execute({"SET", bytes, bytes}));
  EXPECT_TRUE(f.Execute({"GET", bytes}));
  EXPECT_EQ(f.Output(), absl::StrCat("+OK\r\n$9\r\n", bytes, "\r\n"));
}

TEST(RespSessionTest, MgetAndMset) {
  Fixture f;
  EXPECT_EQ(f.Ask("MSET a 1 b 2 a 3"), "+OK\r\n");  // the last value wins
  EXPECT_EQ(f.Ask("MGET a x b a"), "*4\r\n$1\r\n3\r\n$-1\r\n$1\r\n2\r\n$1\r\n3\r\n");
  EXPECT_EQ(f.node.seen.size(), 2u + 4u);
  EXPECT_EQ(f.Ask("MSET a 1 b"), "-ERR wrong number of arguments for 'mset' command\r\n");
  EXPECT_EQ(f.Ask("MGET 1 2 3 4 5 6"),
            "-ERR 6 keys in one command; at most 5 are taken: split it and pipeline the parts\r\n");
}

TEST(RespSessionTest, PingEchoQuit) {
  Fixture f;
  EXPECT_EQ(f.Ask("PING"), "+PONG\r\n");
  EXPECT_EQ(f.Ask("PING x"), "$1\r\nx\r\n");
  EXPECT_EQ(f.Ask("PING x y"), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(f.Ask("ECHO hi"), "$2\r\nhi\r\n");
  EXPECT_TRUE(f.session.accepting());
  EXPECT_EQ(f.Ask("QUIT"), "+OK\r\n");
  EXPECT_TRUE(f.session.ended());
  EXPECT_FALSE(f.session.accepting());
}

TEST(RespSessionTest, Hello) {
  Fixture f;
  const std::string tail =
      "$2\r\nid\r\n:5\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
      "$7\r\nmodules\r\n*0\r\n";
  const std::string head =
      "$6\r\nserver\r\n$4\r\nnorn\r\n$7\r\nversion\r\n$3\r\n1.2\r\n$5\r\nproto\r\n";
  EXPECT_EQ(f.Ask("HELLO"), absl::StrCat("*14\r\n", head, ":2\r\n", tail));
  EXPECT_EQ(f.Ask("HELLO 3 SETNAME me"), absl::StrCat("%7\r\n", head, ":3\r\n", tail));
  EXPECT_EQ(f.Ask("CLIENT GETNAME"), "$2\r\nme\r\n");
  EXPECT_THAT(f.Ask("HELLO"), StartsWith("%7\r\n"));
  EXPECT_EQ(f.Ask("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(f.Ask("HELLO x"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(
      f.Ask("HELLO 2 AUTH u p"),
      "-ERR HELLO AUTH is refused: this server has no passwords yet; connect without one\r\n");
  EXPECT_EQ(f.Ask("HELLO 2 SETNAME"), "-ERR Syntax error in HELLO option 'SETNAME'\r\n");
  EXPECT_EQ(f.Ask("GET k"), "_\r\n");  // a HELLO with an error changes nothing
  EXPECT_EQ(f.Ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(f.Ask("GET k"), "$-1\r\n");
  EXPECT_EQ(f.Ask("CLIENT GETNAME"), "$-1\r\n");
}

TEST(RespSessionTest, Info) {
  Fixture f;
  EXPECT_EQ(f.Ask("INFO"), "$36\r\n# Server\r\na:1\r\nb:2\r\n\r\n# Stats\r\nc:3\r\n\r\n");
  EXPECT_EQ(f.Ask("INFO STATS"), "$14\r\n# Stats\r\nc:3\r\n\r\n");
  EXPECT_EQ(f.Ask("INFO nothing"), "$0\r\n\r\n");
  EXPECT_EQ(f.Ask("INFO everything"), f.Ask("INFO"));
  f.Ask("HELLO 3");
  EXPECT_EQ(f.Ask("INFO stats"), "=18\r\ntxt:# Stats\r\nc:3\r\n\r\n");
}

TEST(RespSessionTest, Client) {
  Fixture f;
  EXPECT_EQ(f.Ask("CLIENT ID"), ":5\r\n");
  EXPECT_EQ(f.Ask("client setname me"), "+OK\r\n");
  EXPECT_EQ(f.Ask("CLIENT SETINFO lib-name py"), "+OK\r\n");
  EXPECT_EQ(f.Ask("CLIENT SETINFO LIB-VER 1"), "+OK\r\n");
  EXPECT_THAT(f.Ask("CLIENT INFO"),
              HasSubstr("id=5 addr=1.2.3.4:5 name=me db=0 cmd=client outstanding=0 resp=2 "
                        "lib-name=py lib-ver=1\n"));
  EXPECT_THAT(f.Ask("CLIENT LIST"), HasSubstr("id=5 "));
  f.services.client_list = [] { return std::string("all\n"); };
  EXPECT_EQ(f.Ask("CLIENT LIST"), "$4\r\nall\n\r\n");
  EXPECT_EQ(f.Ask("CLIENT NO-EVICT on"), "+OK\r\n");
  EXPECT_EQ(f.Ask("CLIENT NO-TOUCH maybe"), "-ERR syntax error\r\n");
  EXPECT_EQ(f.Ask("CLIENT REPLY ON"), "+OK\r\n");
  EXPECT_EQ(f.Ask("CLIENT REPLY OFF"),
            "-ERR CLIENT REPLY OFF and SKIP are not supported: every command is answered\r\n");
  EXPECT_EQ(f.Ask("CLIENT SETINFO x y"), "-ERR Unrecognized option 'x'\r\n");
  EXPECT_EQ(f.Ask("CLIENT ID x"), "-ERR wrong number of arguments for 'client|id' command\r\n");
  EXPECT_EQ(f.Ask("CLIENT KILL x"), "-ERR unknown subcommand 'KILL'. Try CLIENT HELP.\r\n");
  EXPECT_EQ(f.Ask("CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
  EXPECT_THAT(f.Ask("CLIENT HELP"), StartsWith("*10\r\n+CLIENT <subcommand>"));
  EXPECT_TRUE(f.Execute({"CLIENT", "SETNAME", "a b"}));
  EXPECT_EQ(f.Output(),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
}

TEST(RespSessionTest, Command) {
  Fixture f;
  EXPECT_EQ(f.Ask("COMMAND COUNT"), ":25\r\n");
  EXPECT_THAT(f.Ask("COMMAND"), StartsWith("*25\r\n*6\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n"));
  EXPECT_THAT(f.Ask("COMMAND LIST"), StartsWith("*25\r\n$3\r\nget\r\n"));
  EXPECT_EQ(f.Ask("COMMAND INFO ECHO incr none"),
            "*3\r\n*6\r\n$4\r\necho\r\n:2\r\n*1\r\n+fast\r\n:0\r\n:0\r\n:0\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(f.Ask("COMMAND DOCS echo incr"),
            "*2\r\n$4\r\necho\r\n*4\r\n$7\r\nsummary\r\n$13\r\nThe argument.\r\n"
            "$5\r\ngroup\r\n$10\r\nconnection\r\n");
  EXPECT_EQ(f.Ask("COMMAND X"), "-ERR unknown subcommand 'X'. Try COMMAND HELP.\r\n");
}

TEST(RespSessionTest, Config) {
  Fixture f;
  EXPECT_EQ(f.Ask("CONFIG GET maxMEMORY"), "*2\r\n$9\r\nmaxmemory\r\n$1\r\n9\r\n");
  EXPECT_EQ(f.Ask("CONFIG GET save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
  EXPECT_EQ(f.Ask("CONFIG GET data* port"),
            "*4\r\n$4\r\nport\r\n$1\r\n7\r\n$9\r\ndatabases\r\n$1\r\n2\r\n");
  EXPECT_EQ(f.Ask("CONFIG GET nothing"), "*0\r\n");
  EXPECT_EQ(f.Ask("CONFIG GET"), "-ERR wrong number of arguments for 'config|get' command\r\n");
  EXPECT_EQ(f.Ask("CONFIG SET a b"),
            "-ERR CONFIG SET is refused: a node is configured by its file, and reads it at "
            "start\r\n");
  EXPECT_EQ(f.Ask("CONFIG X"), "-ERR unknown subcommand 'X'. Try CONFIG HELP.\r\n");
}

TEST(RespSessionTest, SelectChoosesTheBucket) {
  Fixture f;
  EXPECT_EQ(f.Ask("SET k zero"), "+OK\r\n");
  EXPECT_EQ(f.Ask("SELECT 4"), "+OK\r\n");
  EXPECT_EQ(f.Ask("GET k"), "$-1\r\n");
  EXPECT_EQ(f.Ask("SELECT 1"),
            "-ERR DB index is out of range: no bucket 1; this cluster has 0 (default), 4 "
            "(carts)\r\n");
  EXPECT_EQ(f.Ask("SELECT 65536"),
            "-ERR DB index is out of range: no bucket 65536; this cluster has 0 (default), 4 "
            "(carts)\r\n");
  EXPECT_EQ(f.Ask("SELECT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(f.Ask("SET k four"), "+OK\r\n");
  EXPECT_EQ(f.Ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(f.Ask("GET k"), "$4\r\nzero\r\n");
}

// The deletes of a DEL go to the bucket of its reads, whatever SELECT says by then.
TEST(RespSessionTest, SelectBehindADelDoesNotMoveIt) {
  Fixture f;
  f.Ask("SET k v");
  f.node.answers_now = false;
  f.Send("DEL k");
  f.Send("SELECT 4");
  f.node.AnswerAll();
  EXPECT_EQ(f.Output(), ":1\r\n+OK\r\n");
  EXPECT_EQ(f.node.seen.back().bucket, 0);
}

TEST(RespSessionTest, UnknownRefusedAndMalformedCommands) {
  Fixture f;
  EXPECT_EQ(f.Ask("NOPE"), "-ERR unknown command 'NOPE', with args beginning with: \r\n");
  EXPECT_EQ(f.Ask("NOPE a b"),
            "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' \r\n");
  EXPECT_EQ(f.Ask(""), "-ERR unknown command '', with args beginning with: \r\n");
  EXPECT_LT(f.Ask(std::string(100'000, 'x')).size(), 300u);
  EXPECT_LT(f.Ask(absl::StrCat("x ", std::string(100'000, 'x'))).size(), 300u);
  EXPECT_EQ(f.Ask("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(f.Ask("KV.PUT k"), "-ERR wrong number of arguments for 'kv.put' command\r\n");
  EXPECT_THAT(f.Ask("AUTH x"), StartsWith("-ERR AUTH <password> called without any password"));
  EXPECT_TRUE(f.Execute({"x\r\n+OK", "\r\n"}));  // no line break gets through
  EXPECT_EQ(f.Output(), "-ERR unknown command 'x  +OK', with args beginning with: '  ' \r\n");
  const std::map<std::string, std::string> reasons = {
      {"INCR", "cannot be atomic"},   {"expire", "is given with the value"},
      {"hset", "values are opaque"},  {"KEYS", "no node can list"},
      {"publish", "no channels"},     {"EVAL", "no scripts"},
      {"shutdown", "administered"},   {"exec", "there are no transactions"},
      {"discard", "no transactions"}, {"watch", "no transactions"},
  };
  for (const auto& [name, reason] : reasons) {
    EXPECT_THAT(f.Ask(name), AllOf(StartsWith("-ERR '"), HasSubstr(reason)));
  }
}

TEST(RespSessionTest, EveryCommandHasAnAnswer) {
  for (const RespCommandSpec& spec : AllRespCommands()) {
    Fixture f;
    EXPECT_EQ(FindRespCommand(spec.name), &spec);
    EXPECT_NE(f.Ask(spec.name), "") << spec.name;
    EXPECT_TRUE(spec.refused() || !std::string(spec.summary).empty());
  }
}

TEST(RespSessionTest, ARefusedTransactionRunsNothing) {
  Fixture f;
  EXPECT_THAT(f.Ask("MULTI"), HasSubstr("there are no transactions"));
  EXPECT_THAT(f.Ask("SET k v"), StartsWith("-ERR not executed: the MULTI before it was refused"));
  EXPECT_THAT(f.Ask("INCR k"), StartsWith("-ERR not executed"));
  EXPECT_EQ(f.Ask("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_TRUE(f.node.seen.empty());
  EXPECT_EQ(f.Ask("SET k v"), "+OK\r\n");
  f.Ask("MULTI");
  EXPECT_EQ(f.Ask("DISCARD"), "+OK\r\n");
  EXPECT_EQ(f.Ask("GET k"), "$1\r\nv\r\n");
}

TEST(RespSessionTest, HttpEndsTheSession) {
  for (const char* line : {"POST / HTTP/1.1", "Host: x"}) {
    Fixture f;
    EXPECT_EQ(f.Ask(line), "-ERR this is not an HTTP server; the connection is closed\r\n");
    EXPECT_TRUE(f.session.ended());
  }
}

TEST(RespSessionTest, FailuresAreErrorsWithTheirPrefix) {
  Fixture f;
  const std::map<Outcome, std::string> fallbacks = {
      {Outcome::kInvalid, "ERR the node refused the request"},
      {Outcome::kOverloaded, "TRYAGAIN the node is overloaded; nothing was done"},
      {Outcome::kNotApplied, "NOTAPPLIED the write was not applied and will not be"},
      {Outcome::kUnknown, "UNKNOWN the write may or may not take effect, now or later"},
      {Outcome::kUnavailable, "UNAVAILABLE not enough replicas answered in time"},
  };
  for (const auto& [outcome, text] : fallbacks) {
    const std::string prefix = text.substr(0, text.find(' '));
    for (const char* command : {"GET k", "SET k v", "KV.GET k", "KV.PUT k v", "KV.DEL k", "MGET k",
                                "EXISTS k", "MSET k v", "DEL k"}) {
      f.node.failures["k"] = {outcome, ""};
      EXPECT_EQ(f.Ask(command), absl::StrCat("-", text, "\r\n")) << command;
      f.node.failures["k"] = {outcome, "why\r\n+OK"};
      EXPECT_EQ(f.Ask(command), absl::StrCat("-", prefix, " why  +OK\r\n")) << command;
    }
  }
}

TEST(RespSessionTest, AFailureOfManyKeysNamesTheFirst) {
  Fixture f;
  f.node.failures["b\r\n"] = {Outcome::kUnavailable, "slow"};
  EXPECT_TRUE(f.Execute({"MGET", "a", "b\r\n", "c"}));
  EXPECT_EQ(f.Output(), "-UNAVAILABLE key 'b\\r\\n': slow\r\n");

  f.node.failures = {{"b", {Outcome::kOverloaded, "full"}}, {"c", {Outcome::kNotApplied, "no"}}};
  EXPECT_EQ(f.Ask("MSET c 1 b 2"), "-NOTAPPLIED key 'c': no (and 1 more keys failed)\r\n");
  EXPECT_EQ(f.Ask("MSET b 1 a 2"),
            "-UNKNOWN key 'b': full; MSET is not atomic: other keys may be set\r\n");
  EXPECT_EQ(f.Ask("DEL a b"),
            "-UNKNOWN key 'b': full; DEL is not atomic: other keys may be deleted\r\n");
  EXPECT_EQ(f.Ask("DEL a b"), "-TRYAGAIN key 'b': full\r\n");  // a has gone: nothing was written

  // Named is the first in the command's order, not the first to fail.
  f.node.answers_now = false;
  f.Send("MGET b c");
  f.node.Answer(1);
  f.node.Answer(0);
  EXPECT_EQ(f.Output(), "-TRYAGAIN key 'b': full (and 1 more keys failed)\r\n");
}

TEST(RespSessionTest, ADeleteThatFailsIsNotCounted) {
  Fixture f;
  f.Ask("SET k v");
  f.node.write_failures["k"] = {Outcome::kNotApplied, "no"};
  EXPECT_EQ(f.Ask("DEL k"), "-NOTAPPLIED no\r\n");
  f.node.write_failures["k"] = {Outcome::kUnknown, "perhaps"};
  EXPECT_EQ(f.Ask("DEL k"), "-UNKNOWN perhaps\r\n");
}

TEST(RespSessionTest, RepliesLeaveInTheOrderOfTheCommands) {
  Fixture f;
  f.Ask("MSET a 1 b 2");
  f.node.answers_now = false;
  f.Send("GET a");
  f.Send("GET b");
  f.Send("PING");
  f.Send("MGET b a");
  f.Send("HELLO x");
  f.node.Answer(2);
  f.node.Answer(1);
  EXPECT_EQ(f.Output(), "");
  f.node.Answer(0);
  EXPECT_EQ(f.Output(), "$1\r\n1\r\n$1\r\n2\r\n+PONG\r\n");
  f.node.Answer(0);
  EXPECT_EQ(f.Output(),
            "*2\r\n$1\r\n2\r\n$1\r\n1\r\n-ERR Protocol version is not an integer or out of "
            "range\r\n");
  EXPECT_TRUE(f.session.idle());
}

TEST(RespSessionTest, ACommandIsAnsweredInTheProtocolOfItsTime) {
  Fixture f;
  f.node.answers_now = false;
  f.Send("GET a");
  f.Send("HELLO 3");
  f.Send("GET a");
  f.node.AnswerAll();
  const std::string output = f.Output();
  EXPECT_THAT(output, StartsWith("$-1\r\n%7\r\n"));
  EXPECT_EQ(output.substr(output.size() - 3), "_\r\n");
}

TEST(RespSessionTest, CommandsOnOneKeyTakeEffectInOrder) {
  Fixture f;
  f.node.answers_now = false;
  f.Send("SET k 1");
  f.Send("SET k 2");                     // writes do not wait for each other
  EXPECT_FALSE(f.TakesNow("GET k"));     // a read waits for a write
  EXPECT_FALSE(f.TakesNow("MGET x y"));  // as many keys do: they are taken for every key
  EXPECT_FALSE(f.TakesNow("DEL k"));
  EXPECT_TRUE(f.TakesNow("GET other"));
  EXPECT_FALSE(f.TakesNow("SET other 1"));  // a write waits for a read
  EXPECT_EQ(f.node.seen.size(), 3u);
  EXPECT_EQ(f.session.commands(), 3u);
  f.node.AnswerAll();
  EXPECT_EQ(f.Output(), "+OK\r\n+OK\r\n$-1\r\n");
  f.Send("DEL k");
  EXPECT_FALSE(f.TakesNow("SET k 3"));
  EXPECT_FALSE(f.TakesNow("GET k"));
  f.node.AnswerAll();
  EXPECT_EQ(f.Output(), ":1\r\n");
}

TEST(RespSessionTest, FullSessionsTakeNoMoreCommands) {
  Fixture f;
  f.node.answers_now = false;
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(f.session.accepting());
    f.Send("GET k");
  }
  EXPECT_FALSE(f.session.accepting());
  f.node.Answer(7);
  EXPECT_FALSE(f.session.accepting());  // the oldest holds the room of all
  f.node.Answer(0);
  EXPECT_TRUE(f.session.accepting());

  Fixture g;
  g.services.limits.requests_max = 4;
  g.node.answers_now = false;
  g.Send("MGET a b c");
  EXPECT_TRUE(g.session.accepting());
  g.Send("MGET a b c");
  EXPECT_FALSE(g.session.accepting());
  g.node.Answer(0);
  g.node.Answer(0);
  EXPECT_FALSE(g.session.accepting());
  g.node.Answer(0);
  EXPECT_TRUE(g.session.accepting());
}

TEST(RespSessionTest, RepliesThatAreNotAwaitedAreDropped) {
  Fixture f;
  f.node.answers_now = false;
  f.Send("GET a");
  f.Send("MGET a b");
  std::vector<ClientReply> twice;
  for (const ClientRequest& request : f.node.seen) {
    ClientReply& reply = twice.emplace_back();
    reply.client = request.client;
    reply.outcome = Outcome::kOk;
  }
  ClientReply stray;
  stray.client = PackTicket({kTicket.slot, kTicket.generation, 900, 0});
  f.session.OnReply(std::move(stray));
  f.node.Answer(1);
  f.session.OnReply(ClientReply(twice[1]));
  EXPECT_EQ(f.Output(), "");
  f.node.AnswerAll();
  const std::string output = f.Output();
  EXPECT_EQ(output, "$-1\r\n*2\r\n$-1\r\n$-1\r\n");
  for (ClientReply& reply : twice) f.session.OnReply(std::move(reply));
  EXPECT_EQ(f.Output(), "");
  EXPECT_TRUE(f.session.idle());
}

TEST(RespSessionTest, AProtocolErrorWaitsForEarlierReplies) {
  Fixture f;
  f.node.answers_now = false;
  f.Send("GET a");
  f.session.Refuse("Protocol error: x");
  f.session.Refuse("Protocol error: y");
  EXPECT_TRUE(f.session.ended());
  EXPECT_FALSE(f.session.idle());
  EXPECT_EQ(f.Output(), "");
  f.node.AnswerAll();
  EXPECT_EQ(f.Output(), "$-1\r\n-ERR Protocol error: x\r\n");
  EXPECT_TRUE(f.session.idle());
}

// However late and in whatever order the node answers, a client sees what it would see if
// each command were answered at once. Serials wrap on the way.
RC_GTEST_PROP(RespSessionPropertyTest, LatenessDoesNotShow, (uint64_t seed)) {
  Random random(seed);
  Fixture at_once;
  Fixture late;
  late.node.answers_now = false;
  std::string expected;
  std::string output;
  const auto key = [&random] { return std::string(1, static_cast<char>('a' + random.Below(4))); };
  for (int i = 0; i < 400; ++i) {
    Words words;
    switch (random.Below(9)) {
      case 0:
        words = {"GET", key()};
        break;
      case 1:
        words = {"SET", key(), absl::StrCat(i)};
        break;
      case 2:
        words = {"DEL", key()};
        break;
      case 3:
        words = {"DEL", key(), key()};
        break;
      case 4:
        words = {"MGET", key(), key()};
        break;
      case 5:
        words = {"MSET", key(), absl::StrCat(i), key(), absl::StrCat(-i)};
        break;
      case 6:
        words = {"EXISTS", key(), key()};
        break;
      case 7:
        words = {"SELECT", random.Chance(1, 2) ? "0" : "4"};
        break;
      default:
        words = {"HELLO", random.Chance(1, 2) ? "2" : "3"};
        break;
    }
    RC_ASSERT(at_once.Execute(words));
    expected += at_once.Output();
    // As the node does, writes of one key are answered in order here: only reads overtake.
    while (!late.session.accepting() || random.Chance(1, 3) || !late.Execute(words)) {
      if (late.node.waiting.empty()) continue;
      size_t index = random.Below(late.node.waiting.size());
      const auto& chosen = late.node.waiting[index];
      for (size_t j = 0; j < index; ++j) {
        if (late.node.waiting[j].key == chosen.key && late.node.waiting[j].kind != chosen.kind) {
          RC_FAIL("a read and a write of one key at a time");
        }
      }
      if (chosen.kind != ClientRequest::Kind::kGet) {
        for (size_t j = 0; j < index; ++j) {
          if (late.node.waiting[j].key == late.node.waiting[index].key) index = j;
        }
      }
      late.node.Answer(index);
      output += late.Output();
    }
    output += late.Output();
  }
  late.node.AnswerAll();
  output += late.Output();
  RC_ASSERT(output == expected);
  RC_ASSERT(late.session.idle());
}
}  // namespace
}  // namespace norn::net
