// For tests: a session in front of a node that stores in a map.

#ifndef NORN_NET_RESP_SESSION_FIXTURE_H_
#define NORN_NET_RESP_SESSION_FIXTURE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/client.h"
#include "gtest/gtest.h"
#include "net/resp_services.h"
#include "net/resp_session.h"
#include "net/resp_testing.h"
#include "net/resp_ticket.h"

namespace norn::net {

using Words = std::vector<std::string>;
inline constexpr RespTicket kTicket{.slot = 7, .generation = 3};

inline RespServices Services(FakeNode* node) {
  RespServices services;
  services.submit = [node](ClientRequest&& request) { node->Submit(std::move(request)); };
  services.info = [](absl::string_view section) {
    if (section == "server") return std::string("a:1\nb:2\n");
    return std::string(section == "stats" ? "c:3\r\n" : "");
  };
  services.buckets = {{0, "default"}, {4, "carts"}};
  services.config = {{"maxmemory", "9"}, {"port", "7"}};
  services.version = "1.2";
  services.limits.commands_max = 8;
  services.limits.keys_per_command_max = 5;
  return services;
}

struct Fixture {
  Fixture() : session(services, 5, kTicket, "1.2.3.4:5") {
    node.on_reply = [this](ClientReply&& reply) { session.OnReply(std::move(reply)); };
  }

  bool Execute(const Words& words) {
    const std::vector<absl::string_view> views(words.begin(), words.end());
    return session.Execute(views);
  }
  std::string Output() { return std::exchange(session.output(), std::string()); }
  // The whole reply to a command given as words that are separated by blanks.
  std::string Ask(absl::string_view line) {
    const Words words = absl::StrSplit(line, ' ');
    EXPECT_TRUE(Execute(words));
    return Output();
  }
  // Takes a command whose reply has yet to come.
  void Send(absl::string_view line) { EXPECT_EQ(Ask(line), "") << line; }
  bool TakesNow(absl::string_view line) { return Execute(absl::StrSplit(line, ' ')); }

  FakeNode node;
  RespServices services = Services(&node);
  RespSession session;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_SESSION_FIXTURE_H_
