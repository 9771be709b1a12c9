#include "net/resp_server.h"

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/client.h"
#include "core/events.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/resp_services.h"
#include "net/resp_testing.h"
#include "net/tcp_bus_testing.h"

namespace norn::net {
namespace {

using ::testing::HasSubstr;

using asio::ip::tcp;

// A client: what it received, and whether the server has ended the connection.
class TestClient {
 public:
  TestClient(asio::io_context* loop, uint16_t port) : loop_(loop), socket_(*loop) {
    socket_.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), port));
    Read();
  }

  // Sends all of it; the server reads meanwhile.
  void Send(std::string bytes) {
    auto sent = std::make_shared<std::string>(std::move(bytes));
    asio::async_write(socket_, asio::buffer(*sent), [sent](const asio::error_code&, size_t) {});
  }
  // What has been received once `bytes` are there; less if they do not come.
  std::string Receive(size_t bytes) {
    RunUntil(loop_, [this, bytes] { return ended_ || received_.size() >= bytes; });
    return std::exchange(received_, std::string());
  }
  bool Receives(absl::string_view expected) {
    const std::string received = Receive(expected.size());
    EXPECT_EQ(received, expected);
    return received == expected;
  }
  bool Ends() {
    return RunUntil(loop_, [this] { return ended_; });
  }
  void StopReading() { reads_ = false; }
  void Close() { socket_.close(); }
  bool ended() const { return ended_; }
  const std::string& received() const { return received_; }
  uint16_t port() const { return socket_.local_endpoint().port(); }

 private:
  void Read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [this](const asio::error_code& error, size_t bytes) {
                              received_.append(buffer_, bytes);
                              ended_ = static_cast<bool>(error);
                              if (!ended_ && reads_) Read();
                            });
  }

  asio::io_context* const loop_;
  tcp::socket socket_;
  char buffer_[65536];
  std::string received_;
  bool ended_ = false;
  bool reads_ = true;
};

struct Fixture {
  explicit Fixture(const std::function<void(RespServerOptions*)>& change = nullptr) {
    RespServerOptions options;
    options.listen_address = Loopback(0);
    if (change) change(&options);
    RespServices services;
    services.submit = [this](ClientRequest&& request) { node.Submit(std::move(request)); };
    server = std::make_unique<RespServer>(&loop, std::move(options), std::move(services),
                                          [this](const Note& note) { notes.push_back(note.text); });
    node.on_reply = [this](ClientReply&& reply) { server->Reply(std::move(reply)); };
    const absl::Status status = server->Listen();
    EXPECT_TRUE(status.ok()) << status;
    server->Start();
  }

  std::unique_ptr<TestClient> Connect() {
    return std::make_unique<TestClient>(&loop, server->port());
  }
  bool Until(const std::function<bool()>& done) { return RunUntil(&loop, done); }
  bool Waiting(size_t requests) {
    return Until([this, requests] { return node.waiting.size() == requests; });
  }

  asio::io_context loop;
  FakeNode node;
  std::vector<std::string> notes;
  std::unique_ptr<RespServer> server;
};

TEST(RespServerTest, PipelinedCommandsAreAnsweredInOrder) {
  Fixture f;
  f.node.answers_now = false;
  const auto client = f.Connect();
  client->Send("SET a 1\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\nPING\r\nECHO x\r\n");
  ASSERT_TRUE(f.Waiting(2));
  f.node.Answer(1);
  RunFor(&f.loop, 20'000);
  EXPECT_EQ(client->received(), "");
  f.node.Answer(0);
  EXPECT_TRUE(client->Receives("+OK\r\n+OK\r\n+PONG\r\n$1\r\nx\r\n"));
  // A read waits for the writes of its key: it is taken when they are answered.
  client->Send("SET a 3\r\nGET a\r\nPING\r\n");
  ASSERT_TRUE(f.Waiting(1));
  f.node.Answer(0);
  ASSERT_TRUE(f.Waiting(1));
  f.node.Answer(0);
  EXPECT_TRUE(client->Receives("+OK\r\n$1\r\n3\r\n+PONG\r\n"));
}

// More commands than a session takes at a time, and a node that answers at once.
TEST(RespServerTest, ADeepPipeline) {
  for (const bool now : {true, false}) {
    Fixture f;
    f.node.answers_now = now;
    const auto client = f.Connect();
    std::string sent;
    std::string expected;
    for (int i = 0; i < 5000; ++i) {
      absl::StrAppend(&sent, "SET k ", i, "\r\nGET k\r\n");
      absl::StrAppend(&expected, "+OK\r\n$", absl::StrCat(i).size(), "\r\n", i, "\r\n");
    }
    client->Send(sent);
    ASSERT_TRUE(f.Until([&] {
      f.node.AnswerAll();
      return client->ended() || client->received().size() >= expected.size();
    }));
    EXPECT_TRUE(client->received() == expected);
    EXPECT_EQ(f.node.seen.size(), 10'000u);  // each once
  }
}

TEST(RespServerTest, LongValues) {
  Fixture f;
  const auto client = f.Connect();
  const std::string value(3 << 20, 'v');
  const std::string bulk = absl::StrCat("$", value.size(), "\r\n", value, "\r\n");
  client->Send(absl::StrCat("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n", bulk, "GET k\r\n"));
  EXPECT_TRUE(client->Receive(5 + bulk.size()) == absl::StrCat("+OK\r\n", bulk));
}

TEST(RespServerTest, HostileBytesEndTheConnection) {
  Fixture f;
  f.node.answers_now = false;
  const auto client = f.Connect();
  const auto other = f.Connect();
  client->Send("GET k\r\n*1\r\n$x\r\n");
  ASSERT_TRUE(f.Waiting(1));
  f.node.Answer(0);
  EXPECT_TRUE(client->Ends());
  EXPECT_TRUE(client->Receives("$-1\r\n-ERR Protocol error: invalid bulk length\r\n"));
  other->Send("PING\r\n");
  EXPECT_TRUE(other->Receives("+PONG\r\n"));
  EXPECT_EQ(f.server->connected(), 1u);
}

TEST(RespServerTest, HttpEndsTheConnection) {
  Fixture f;
  const auto client = f.Connect();
  client->Send("POST / HTTP/1.1\r\nSET k v\r\n");
  EXPECT_TRUE(client->Ends());
  EXPECT_TRUE(client->Receives("-ERR this is not an HTTP server; the connection is closed\r\n"));
  EXPECT_TRUE(f.node.seen.empty());
}

TEST(RespServerTest, QuitEndsTheConnectionAfterItsReply) {
  Fixture f;
  const auto client = f.Connect();
  client->Send("PING\r\nQUIT\r\nPING\r\n");
  EXPECT_TRUE(client->Ends());
  EXPECT_TRUE(client->Receives("+PONG\r\n+OK\r\n"));
  EXPECT_EQ(f.server->connected(), 0u);
}

// Its slot goes to the next client, who must not get its replies.
TEST(RespServerTest, RepliesToAClientThatHasGoneAreDropped) {
  Fixture f;
  f.node.answers_now = false;
  auto client = f.Connect();
  client->Send("GET a\r\nMGET b c\r\n");
  ASSERT_TRUE(f.Waiting(3));
  client->Close();
  ASSERT_TRUE(f.Until([&] { return f.server->connected() == 0; }));
  const auto next = f.Connect();
  next->Send("SET n 1\r\n");
  ASSERT_TRUE(f.Waiting(4));
  f.node.Answer(0);
  f.node.Answer(0);
  f.node.Answer(0);
  RunFor(&f.loop, 20'000);
  EXPECT_EQ(next->received(), "");
  f.node.Answer(0);
  EXPECT_TRUE(next->Receives("+OK\r\n"));
}

TEST(RespServerTest, DrainEndsConnectionsAfterTheirReplies) {
  Fixture f;
  f.node.answers_now = false;
  const auto idle = f.Connect();
  const auto busy = f.Connect();
  busy->Send("SET k v\r\n");
  ASSERT_TRUE(f.Waiting(1));
  ASSERT_TRUE(f.Until([&] { return f.server->connected() == 2; }));
  EXPECT_FALSE(f.server->drained());
  const uint16_t port = f.server->port();
  f.server->StopAccepting();
  EXPECT_TRUE(idle->Ends());
  busy->Send("SET k again\r\n");  // comes too late
  RunFor(&f.loop, 20'000);
  EXPECT_FALSE(busy->ended());
  EXPECT_FALSE(f.server->drained());
  f.node.Answer(0);
  EXPECT_TRUE(f.Until([&] { return f.server->drained(); }));
  EXPECT_TRUE(busy->Ends());
  EXPECT_EQ(f.node.seen.size(), 1u);
  EXPECT_THROW(TestClient(&f.loop, port), asio::system_error);
}

TEST(RespServerTest, DrainSendsTheLastReply) {
  Fixture f;
  f.node.answers_now = false;
  const auto client = f.Connect();
  client->Send("SET k v\r\n");
  ASSERT_TRUE(f.Waiting(1));
  f.server->StopAccepting();
  f.node.Answer(0);
  EXPECT_TRUE(client->Ends());
  EXPECT_TRUE(client->Receives("+OK\r\n"));
}

TEST(RespServerTest, CloseEndsEveryone) {
  Fixture f;
  f.node.answers_now = false;
  const auto client = f.Connect();
  client->Send("SET k v\r\n");
  ASSERT_TRUE(f.Waiting(1));
  f.server->Close();
  EXPECT_TRUE(f.server->drained());
  f.node.Answer(0);
  EXPECT_TRUE(client->Ends());
  EXPECT_EQ(client->received(), "");
}

TEST(RespServerTest, OneClientTooMany) {
  Fixture f([](RespServerOptions* options) { options->clients_max = 1; });
  auto first = f.Connect();
  ASSERT_TRUE(f.Until([&] { return f.server->connected() == 1; }));
  const auto second = f.Connect();
  EXPECT_TRUE(second->Ends());
  EXPECT_TRUE(second->Receives("-ERR max number of clients reached\r\n"));
  first->Close();
  ASSERT_TRUE(f.Until([&] { return f.server->connected() == 0; }));
  const auto third = f.Connect();
  third->Send("PING\r\n");
  EXPECT_TRUE(third->Receives("+PONG\r\n"));
}

TEST(RespServerTest, AClientThatDoesNotReadIsDropped) {
  Fixture f([](RespServerOptions* options) { options->output_bytes_max = 1 << 20; });
  const auto client = f.Connect();
  client->StopReading();
  const std::string value(1 << 20, 'v');
  std::string sent =
      absl::StrCat("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$", value.size(), "\r\n", value, "\r\n");
  for (int i = 0; i < 30; ++i) sent += "GET k\r\n";
  client->Send(sent);
  ASSERT_TRUE(f.Until([&] { return f.node.seen.size() == 31; }));
  client->Send("GET k\r\nGET k\r\n");  // behind what is stuck in the socket
  ASSERT_TRUE(f.Until([&] { return !f.notes.empty(); }));
  EXPECT_THAT(f.notes[0], HasSubstr(absl::StrCat("client 127.0.0.1:", client->port(),
                                                 " does not read its replies: ")));
  EXPECT_EQ(f.server->connected(), 0u);
}

// A reply may be longer than what may wait unread: the client has had no time to read it.
TEST(RespServerTest, ALongReplyIsNotAnUnreadOne) {
  Fixture f([](RespServerOptions* options) { options->output_bytes_max = 1000; });
  const auto client = f.Connect();
  client->Send(absl::StrCat("ECHO ", std::string(2000, 'x'), "\r\n"));
  EXPECT_EQ(client->Receive(2009).size(), 2009u);
  EXPECT_TRUE(f.notes.empty());
}

TEST(RespServerTest, InfoAndClientListKnowAllClients) {
  Fixture f;
  const auto first = f.Connect();
  const auto second = f.Connect();
  ASSERT_TRUE(f.Until([&] { return f.server->connected() == 2; }));
  first->Send("CLIENT LIST\r\n");
  const std::string list = first->Receive(100);
  EXPECT_THAT(list, HasSubstr(absl::StrCat("id=1 addr=127.0.0.1:", first->port())));
  EXPECT_THAT(list, HasSubstr(absl::StrCat("id=2 addr=127.0.0.1:", second->port())));
  second->Send("INFO clients\r\n");
  EXPECT_THAT(second->Receive(60), HasSubstr("connected_clients:2\r\nmaxclients:10000\r\n"
                                             "total_connections_received:2\r\n"));
}

TEST(RespServerTest, AddressesThatCannotBeListenedOn) {
  asio::io_context loop;
  const auto listen = [&loop](const std::string& address) {
    RespServerOptions options;
    options.listen_address = address;
    RespServer server(&loop, options, RespServices(), [](const Note&) {});
    const absl::Status status = server.Listen();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(server.port(), 0);
    return std::string(status.message());
  };
  const Fixture f;
  const std::string taken = Loopback(f.server->port());
  EXPECT_EQ(listen(taken),
            absl::StrCat("client address ", taken,
                         ": the port is in use: stop what listens there, or configure another "
                         "port"));
  EXPECT_EQ(listen("localhost:1"),
            "client address localhost:1: not a numeric address, as 127.0.0.1:7001 or [::1]:7001");
  EXPECT_THAT(listen("127.0.0.1"), HasSubstr("it has no port"));
}

}  // namespace
}  // namespace norn::net
