// What clients are told of stand-ins: only where there were any.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "net/resp_session.h"
#include "net/resp_testing.h"
#include "net/resp_ticket.h"

namespace norn::net {
namespace {

TEST(RespSessionHintsTest, CopiesOfStandInsAreToldApart) {
  FakeNode node;
  RespServices services;
  services.submit = [&node](ClientRequest&& request) { node.Submit(std::move(request)); };
  services.buckets = {{0, "default"}};
  RespSession session(services, 5, RespTicket{.slot = 7, .generation = 3}, "1.2.3.4:5");
  node.on_reply = [&session](ClientReply&& reply) { session.OnReply(std::move(reply)); };
  const auto ask = [&session](absl::string_view line) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    EXPECT_TRUE(session.Execute(words));
    return std::exchange(session.output(), std::string());
  };
  EXPECT_EQ(ask("KV.PUT k a CONTEXT none"), "*4\r\n$-1\r\n:2\r\n:1\r\n:2\r\n");
  node.hints = 1;
  EXPECT_EQ(ask("KV.PUT k b CONTEXT none"), "*5\r\n$-1\r\n:2\r\n:1\r\n:2\r\n:1\r\n");
  EXPECT_EQ(ask("SET k c"), "+OK\r\n");
  ask("HELLO 3");
  EXPECT_EQ(ask("KV.DEL k CONTEXT dDA"),
            "%5\r\n$7\r\ncontext\r\n_\r\n$8\r\nreplicas\r\n:2\r\n$5\r\nzones\r\n:1\r\n"
            "$7\r\ndurable\r\n:2\r\n$5\r\nhints\r\n:1\r\n");
}

}  // namespace
}  // namespace norn::net
