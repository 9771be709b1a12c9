// Handshakes that must not succeed: both sides say why, and mending it heals the link.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "asio/buffer.hpp"
#include "asio/error_code.hpp"
#include "asio/io_context.hpp"
#include "asio/ip/address.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/write.hpp"
#include "core/messages.h"
#include "core/types.h"
#include "gtest/gtest.h"
#include "net/frame.h"
#include "net/handshake.h"
#include "net/tcp_bus.h"
#include "net/tcp_bus_testing.h"
#include "net/tcp_options.h"

namespace norn::net {
namespace {

using asio::ip::tcp;

tcp::endpoint LoopbackEndpoint(uint16_t port) {
  return tcp::endpoint(asio::ip::make_address("127.0.0.1"), port);
}

class RefusalTest : public testing::Test {
 protected:
  // A node that listens, and knows node `peer`, wherever that is.
  std::unique_ptr<TcpEndpoint> MakeNode(const TcpBusOptions& options) {
    auto node = std::make_unique<TcpEndpoint>(&context_, options);
    const absl::Status status = node->bus.Listen();
    EXPECT_TRUE(status.ok()) << status;
    return node;
  }

  // Node 1 dials node 2, which is as `change` makes it; both must note `text`. Then node 2 is
  // replaced by one as it should be.
  void ExpectRefusedThenHealed(const std::function<void(TcpBusOptions*)>& change,
                               const std::string& text) {
    std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
    TcpBusOptions options = TestOptions(2);
    change(&options);
    std::unique_ptr<TcpEndpoint> two = MakeNode(options);
    const uint16_t port = two->bus.port();
    two->bus.SetPeer(1, Loopback(one->bus.port()));
    one->bus.SetPeer(2, Loopback(port));
    one->bus.Start();
    ASSERT_TRUE(RunUntil(&context_, [&] { return one->Noted(text) && two->Noted(text); }))
        << one->AllNotes() << two->AllNotes();
    EXPECT_TRUE(two->Noted("refused node 1 from 127.0.0.1: ")) << two->AllNotes();
    EXPECT_TRUE(one->Noted(absl::StrCat("cannot reach node 2 at ", Loopback(port),
                                        ": node 2 refused the connection: ")))
        << one->AllNotes();
    // The same refusal is not noted again at each retry.
    ASSERT_TRUE(RunUntil(&context_, [&] { return one->bus.stats(2).connect_failures >= 4; }));
    EXPECT_EQ(one->notes.size(), 1u) << one->AllNotes();
    EXPECT_EQ(two->notes.size(), 1u) << two->AllNotes();

    two.reset();
    options = TestOptions(2, 2);
    options.listen_address = Loopback(port);
    options.peers = {{.id = 1, .address = Loopback(one->bus.port())}};
    two = MakeNode(options);
    ASSERT_TRUE(RunUntil(&context_, [&] { return one->bus.stats(2).sending; })) << one->AllNotes();
    one->bus.Send(2, ReplicaRead{});
    EXPECT_TRUE(RunUntil(&context_, [&] { return two->received.size() == 1; }));
  }

  // What `socket` gets until the other side ends it.
  std::string ReadAll(tcp::socket* socket) {
    std::string got;
    bool ended = false;
    char buffer[4096];
    std::function<void()> read = [&] {
      socket->async_read_some(asio::buffer(buffer), [&](const asio::error_code& error, size_t n) {
        got.append(buffer, n);
        ended = static_cast<bool>(error);
        if (!ended) read();
      });
    };
    read();
    EXPECT_TRUE(RunUntil(&context_, [&] { return ended; }));
    return got;
  }

  asio::io_context context_;
};

TEST_F(RefusalTest, AnotherCluster) {
  ExpectRefusedThenHealed([](TcpBusOptions* o) { o->identity.cluster = "prod"; },
                          "node 2 is of cluster \"prod\", node 1 of cluster \"test\"");
}

TEST_F(RefusalTest, AnotherConfiguration) {
  ExpectRefusedThenHealed([](TcpBusOptions* o) { o->identity.fingerprint = 43; },
                          "nodes 2 and 1 have different configurations of cluster \"test\"");
}

TEST_F(RefusalTest, AnotherProtocolVersion) {
  ExpectRefusedThenHealed(
      [](TcpBusOptions* o) { o->identity.version_min = o->identity.version_max = 2; },
      "node 2 speaks protocol version 2, node 1 speaks version 1: upgrade the older one");
}

TEST_F(RefusalTest, AnotherNodeThanWasDialled) {
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  std::unique_ptr<TcpEndpoint> two = MakeNode(TestOptions(2));
  std::unique_ptr<TcpEndpoint> three = MakeNode(TestOptions(3));
  two->bus.SetPeer(1, Loopback(one->bus.port()));
  three->bus.SetPeer(1, Loopback(one->bus.port()));
  one->bus.SetPeer(3, Loopback(two->bus.port()));  // the mistake
  one->bus.Start();
  const std::string text =
      "node 1 dialled node 3 and reached node 2: correct the address of node 3 in the "
      "configuration of node 1";
  ASSERT_TRUE(RunUntil(&context_, [&] { return one->Noted(text) && two->Noted(text); }))
      << one->AllNotes() << two->AllNotes();
  one->bus.SetPeer(3, Loopback(three->bus.port()));
  EXPECT_TRUE(RunUntil(&context_, [&] { return one->bus.stats(3).sending; }));
}

TEST_F(RefusalTest, Ourselves) {
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  one->bus.SetPeer(3, Loopback(one->bus.port()));  // the mistake
  one->bus.Start();
  const std::string text =
      "node 1 reached itself when it dialled node 3: correct the address of node 3";
  ASSERT_TRUE(RunUntil(&context_, [&] { return one->notes.size() >= 2; })) << one->AllNotes();
  EXPECT_EQ(one->notes[0], absl::StrCat("refused node 1 from 127.0.0.1: ", text));
  EXPECT_EQ(one->notes[1], absl::StrCat("cannot reach node 3 at ", Loopback(one->bus.port()),
                                        ": node 1 refused the connection: ", text, "; retrying"));
}

TEST_F(RefusalTest, AStranger) {
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  std::unique_ptr<TcpEndpoint> two = MakeNode(TestOptions(2));
  one->bus.SetPeer(2, Loopback(two->bus.port()));
  one->bus.Start();
  const std::string text = "node 1 is no member of cluster \"test\" in the configuration of node 2";
  ASSERT_TRUE(RunUntil(&context_, [&] { return one->Noted(text) && two->Noted(text); }));
  two->bus.SetPeer(1, Loopback(one->bus.port()));
  EXPECT_TRUE(RunUntil(&context_, [&] { return one->bus.stats(2).sending; }));
}

TEST_F(RefusalTest, ATwinDoesNotTakeTheConnectionOver) {
  std::unique_ptr<TcpEndpoint> two = MakeNode(TestOptions(2));
  two->bus.SetPeer(1, Loopback(1));
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  one->bus.SetPeer(2, Loopback(two->bus.port()));
  one->bus.Start();
  ASSERT_TRUE(RunUntil(&context_, [&] { return two->bus.stats(1).receiving; }));

  TcpBusOptions options = TestOptions(1);
  options.seed = 99;
  std::unique_ptr<TcpEndpoint> twin = MakeNode(options);
  twin->bus.SetPeer(2, Loopback(two->bus.port()));
  twin->bus.Start();
  const std::string text =
      "two processes call themselves node 1, and node 2 is connected to the other one";
  ASSERT_TRUE(RunUntil(&context_, [&] { return twin->Noted(text) && two->Noted(text); }));
  EXPECT_TRUE(one->bus.stats(2).sending);

  // A later generation is a restart, and takes over.
  twin = MakeNode(TestOptions(1, 2));
  twin->bus.SetPeer(2, Loopback(two->bus.port()));
  twin->bus.Start();
  EXPECT_TRUE(RunUntil(&context_, [&] { return twin->bus.stats(2).sending; }));
  EXPECT_TRUE(RunUntil(&context_, [&] { return one->Noted("lost node 2"); }));
}

TEST_F(RefusalTest, WhoDialsSomethingElseIsTold) {
  tcp::acceptor other(context_, LoopbackEndpoint(0));
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  one->bus.SetPeer(2, Loopback(other.local_endpoint().port()));
  one->bus.Start();
  tcp::socket socket(context_);
  other.async_accept(socket, [&](const asio::error_code& error) {
    ASSERT_FALSE(error);
    asio::error_code ignored;
    socket.write_some(asio::buffer("-ERR\r\n", 6), ignored);
  });
  ASSERT_TRUE(RunUntil(&context_, [&] { return !one->notes.empty(); }));
  EXPECT_TRUE(one->Noted("no Norn peer: expected \"NORN-P2P\", got \"-ERR\\r\\n\""))
      << one->AllNotes();
}

TEST_F(RefusalTest, WhoSpeaksSomethingElseIsCutOff) {
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  tcp::socket socket(context_);
  socket.connect(LoopbackEndpoint(one->bus.port()));
  asio::write(socket, asio::buffer("GET / HTTP/1.1\r\n\r\n", 18));
  EXPECT_EQ(ReadAll(&socket), "");
  EXPECT_TRUE(one->Noted("refused a connection from 127.0.0.1: no Norn peer: expected "))
      << one->AllNotes();
}

TEST_F(RefusalTest, AMalformedHelloIsAnsweredByItsError) {
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  tcp::socket socket(context_);
  socket.connect(LoopbackEndpoint(one->bus.port()));
  std::string bytes = kPreamble;
  AppendFrame("\xff", &bytes);
  asio::write(socket, asio::buffer(bytes));
  FrameParser parser(kHandshakeBytesMax, kPreamble);
  parser.Append(ReadAll(&socket));
  absl::string_view payload;
  ASSERT_TRUE(parser.Next(&payload)) << parser.status();
  const absl::StatusOr<HelloReply> reply = DecodeHelloReply(payload);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->verdict, Verdict::kMalformed);
  EXPECT_EQ(reply->text, "malformed Hello: tag: is no field number and type");
}

TEST_F(RefusalTest, AHelloIsNeverLarge) {
  std::unique_ptr<TcpEndpoint> one = MakeNode(TestOptions(1));
  tcp::socket socket(context_);
  socket.connect(LoopbackEndpoint(one->bus.port()));
  std::string bytes = kPreamble;
  AppendFrame(std::string(kHandshakeBytesMax + 1, 'x'), &bytes);
  asio::write(socket, asio::buffer(bytes.data(), 100));
  EXPECT_EQ(ReadAll(&socket), "");
  EXPECT_TRUE(one->Noted("is over the limit of 16384")) << one->AllNotes();
}

TEST_F(RefusalTest, SilenceIsCutOffOnBothSides) {
  TcpBusOptions options = TestOptions(1);
  options.handshake_timeout_us = 30'000;
  std::unique_ptr<TcpEndpoint> one = MakeNode(options);
  tcp::socket silent(context_);
  silent.connect(LoopbackEndpoint(one->bus.port()));
  EXPECT_EQ(ReadAll(&silent), "");
  EXPECT_TRUE(one->Noted("refused a connection from 127.0.0.1: no Hello within 30 ms"))
      << one->AllNotes();

  tcp::acceptor mute(context_, LoopbackEndpoint(0));  // the kernel accepts, nobody answers
  one->bus.SetPeer(2, Loopback(mute.local_endpoint().port()));
  one->bus.Start();
  EXPECT_TRUE(RunUntil(&context_, [&] { return one->Noted("no answer within 30 ms"); }));
}

TEST_F(RefusalTest, StrangersAreBounded) {
  TcpBusOptions options = TestOptions(1);
  options.strangers_max = 2;
  std::unique_ptr<TcpEndpoint> one = MakeNode(options);
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 3; ++i) {
    silent.emplace_back(context_);
    silent.back().connect(LoopbackEndpoint(one->bus.port()));
  }
  EXPECT_EQ(ReadAll(&silent[2]), "");
  EXPECT_EQ(one->bus.refused_strangers(), 1u);
  EXPECT_TRUE(one->Noted("connection refused: 2 others have not yet said who they are"));
}

}  // namespace
}  // namespace norn::net
