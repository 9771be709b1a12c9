// NORN.CHECKPOINT, as a session sees it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/client.h"
#include "gtest/gtest.h"
#include "net/resp_services.h"
#include "net/resp_session.h"
#include "net/resp_ticket.h"

namespace norn::net {
namespace {

struct Fixture {
  Fixture() : session(services, 5, RespTicket{.slot = 7, .generation = 3}, "1.2.3.4:5") {}

  // What the session says to that at once.
  std::string Ask(const std::vector<absl::string_view>& words) {
    EXPECT_TRUE(session.Execute(words));
    return std::exchange(session.output(), std::string());
  }
  std::string Answer(uint64_t ticket, ClientReply::Outcome outcome, const std::string& text) {
    ClientReply reply;
    reply.client = ticket;
    reply.outcome = outcome;
    if (outcome == ClientReply::Outcome::kOk) {
      reply.siblings.push_back({text, 0});
    } else {
      reply.message = text;
    }
    session.OnReply(std::move(reply));
    return std::exchange(session.output(), std::string());
  }

  RespServices services;
  RespSession session;
};

TEST(RespCheckpointTest, IsAnsweredWhenItIsDoneAndInItsPlace) {
  Fixture f;
  std::vector<std::pair<std::string, uint64_t>> asked;
  f.services.checkpoint = [&](absl::string_view name, uint64_t ticket) {
    asked.emplace_back(name, ticket);
  };
  EXPECT_EQ(f.Ask({"NORN.CHECKPOINT", "monday"}), "");
  EXPECT_EQ(f.Ask({"PING"}), "");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].first, "monday");
  EXPECT_EQ(f.Answer(asked[0].second, ClientReply::Outcome::kOk, "done"),
            "$4\r\ndone\r\n+PONG\r\n");
  EXPECT_EQ(f.Ask({"norn.checkpoint", "monday"}), "");
  EXPECT_EQ(f.Answer(asked[1].second, ClientReply::Outcome::kInvalid, "there is one already"),
            "-ERR there is one already\r\n");
}

TEST(RespCheckpointTest, IsRefusedWhereThereAreNone) {
  Fixture f;
  EXPECT_EQ(f.Ask({"NORN.CHECKPOINT", "x"}), "-ERR this server takes no checkpoints\r\n");
  EXPECT_EQ(f.Ask({"NORN.CHECKPOINT"}),
            "-ERR wrong number of arguments for 'norn.checkpoint' command\r\n");
}

}  // namespace
}  // namespace norn::net
