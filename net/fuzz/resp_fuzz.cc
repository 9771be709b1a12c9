// A hostile client: however its bytes are cut, and however late the node answers, the parser
// and the session give the same replies and come to the same end.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/client.h"
#include "core/random.h"
#include "net/resp_parser.h"
#include "net/resp_services.h"
#include "net/resp_session.h"
#include "net/resp_testing.h"
#include "net/resp_ticket.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {
namespace {

struct Outcome {
  std::string output;
  uint64_t commands = 0;
  bool ended = false;
};

// Feeds `stream` in pieces of up to `piece_max` bytes to a session whose node answers at once,
// or the oldest request whenever the session waits.
Outcome Serve(absl::string_view stream, size_t piece_max, bool answers_now) {
  Random random(1);
  net::FakeNode node;
  node.answers_now = answers_now;
  net::RespServices services;
  services.submit = [&node](ClientRequest&& request) { node.Submit(std::move(request)); };
  services.info = [](absl::string_view) { return std::string("a:1\n"); };
  // CLIENT LIST would show how many commands are outstanding.
  services.client_list = [] { return std::string("id=1\n"); };
  services.limits.commands_max = 8;
  net::RespSession session(services, 1, net::RespTicket(), "127.0.0.1:1");
  node.on_reply = [&session](ClientReply&& reply) { session.OnReply(std::move(reply)); };
  net::RespRequestParser parser(
      {.arguments_max = 100, .bulk_bytes_max = 200, .line_bytes_max = 300});

  std::string buffer;
  while (!stream.empty() && !session.ended()) {
    const size_t size = std::min<size_t>(stream.size(), 1 + random.Below(piece_max));
    buffer.append(stream.data(), size);
    stream.remove_prefix(size);
    auto result = net::RespRequestParser::Result::kCommand;
    while (!session.ended() && result == net::RespRequestParser::Result::kCommand) {
      result = parser.Next(buffer);
      if (result == net::RespRequestParser::Result::kCommand) {
        CORE_CHECK(!parser.arguments().empty());
        while (!session.accepting() || !session.Execute(parser.arguments())) {
          CORE_CHECK(!node.waiting.empty());  // or the session would wait for ever
          node.Answer(0);
        }
      }
      if (result == net::RespRequestParser::Result::kError) {
        // A connection refuses whether or not the session has room: it must have.
        while (!session.accepting()) node.Answer(0);
        session.Refuse(parser.error());
      } else {
        CORE_CHECK(parser.consumed() <= buffer.size());
        buffer.erase(0, parser.consumed());
      }
    }
  }
  node.AnswerAll();
  CORE_CHECK(session.idle());
  return {session.output(), session.commands(), session.ended()};
}

}  // namespace

// The first byte of an input is the size of its pieces.
std::vector<std::string> FuzzSeeds() {
  return {
      "\x05SET k v\r\nGET k\r\nEXISTS k x\r\nDEL k x k\r\n",
      "\x03*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
      "\x09*0\r\n\r\nMSET a 1 b 2 a 3\r\nMGET a x b\r\nSELECT 0\r\nSELECT 9\r\n",
      "\x20KV.PUT k v\r\nKV.GET k R 2 TIMEOUT 5\r\nKV.PUT k w CONTEXT dDE\r\nKV.DEL k CONTEXT "
      "dDI W 1\r\nKV.PUT k z CONTEXT NONE\r\n",
      "\x01PING \"a b\\x41\\n\"\r\nECHO 'it\\'s'\r\nHELLO 3 SETNAME me\r\nGET k\r\nRESET\r\n",
      "\x07INFO\r\nCLIENT ID\r\nCLIENT SETNAME x\r\nCLIENT LIST\r\nCOMMAND DOCS get\r\nCOMMAND "
      "INFO get\r\nCONFIG GET *a*\r\n",
      "\x0bMULTI\r\nINCR k\r\nEXEC\r\nNOPE a b\r\nAUTH x\r\nQUIT\r\nPING\r\n",
      "\x02*1\r\n$4\r\nPING\r\n*1\r\n$x\r\n",
  };
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
  const norn::Outcome whole = norn::Serve(stream, size, true);
  for (const bool answers_now : {false, true}) {
    for (const size_t piece_max : {size_t{data[0]} + 1, size_t{1}}) {
      const norn::Outcome pieces = norn::Serve(stream, piece_max, answers_now);
      // What CLIENT INFO tells of the moment aside, nothing may differ.
      CORE_CHECK(pieces.commands == whole.commands && pieces.ended == whole.ended);
      CORE_CHECK(whole.output.find("outstanding=") != std::string::npos ||
                 pieces.output == whole.output);
    }
  }
  return 0;
}
