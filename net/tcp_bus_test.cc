// What the TCP bus promises beyond the contract of every bus (tests/contracts).

#include "net/tcp_bus.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "core/events.h"
#include "core/messages.h"
#include "core/types.h"
#include "gtest/gtest.h"
#include "net/back_off.h"
#include "net/frame.h"
#include "net/note_gate.h"
#include "net/tcp_bus_testing.h"
#include "net/tcp_options.h"

namespace norn::net {
namespace {

Message Write(size_t record_bytes, uint64_t request = 1) {
  return ReplicaWrite{.request = request,
                      .layout = 1,
                      .partition = 0,
                      .key = "00key",
                      .record = std::string(record_bytes, 'r')};
}

// Two nodes that know each other; not yet started.
class TcpBusTest : public testing::Test {
 protected:
  void Make(const TcpBusOptions& one = TestOptions(1), const TcpBusOptions& two = TestOptions(2)) {
    one_ = std::make_unique<TcpEndpoint>(&context_, one);
    two_ = std::make_unique<TcpEndpoint>(&context_, two);
    for (TcpEndpoint* const node : {one_.get(), two_.get()}) {
      const absl::Status status = node->bus.Listen();
      ASSERT_TRUE(status.ok()) << status;
    }
    one_->bus.SetPeer(2, Loopback(two_->bus.port()));
    two_->bus.SetPeer(1, Loopback(one_->bus.port()));
  }

  void Connect() {
    one_->bus.Start();
    two_->bus.Start();
    ASSERT_TRUE(RunUntil(
        &context_, [this] { return one_->bus.stats(2).sending && two_->bus.stats(1).sending; }))
        << one_->AllNotes() << two_->AllNotes();
  }

  bool RunUntilTwoReceived(size_t count) {
    return RunUntil(&context_, [this, count] { return two_->received.size() >= count; });
  }

  asio::io_context context_;
  std::unique_ptr<TcpEndpoint> one_;
  std::unique_ptr<TcpEndpoint> two_;
};

TEST_F(TcpBusTest, OneTurnsMessagesLeaveInOneWrite) {
  Make();
  Connect();
  for (uint64_t i = 0; i < 1000; ++i) one_->bus.Send(2, Write(10, i));
  EXPECT_EQ(one_->bus.stats(2).writes, 0u) << "Send must not write by itself";
  ASSERT_TRUE(RunUntilTwoReceived(1000));
  const PeerStats stats = one_->bus.stats(2);
  EXPECT_EQ(stats.writes, 1u);
  EXPECT_EQ(stats.messages_sent, 1000u);
  EXPECT_EQ(stats.messages_dropped, 0u);
  EXPECT_EQ(stats.queued_messages, 0u);
  EXPECT_EQ(stats.queued_bytes, 0u);
  EXPECT_EQ(two_->bus.stats(1).messages_received, 1000u);
  EXPECT_EQ(two_->bus.stats(1).bytes_received, stats.bytes_sent);
}

TEST_F(TcpBusTest, MessagesWaitForTheFirstConnection) {
  Make();
  one_->bus.Start();
  one_->bus.Send(2, Write(10));
  ASSERT_TRUE(RunUntilTwoReceived(1));
  EXPECT_EQ(one_->bus.stats(2).messages_dropped, 0u);
}

TEST_F(TcpBusTest, AFullQueueDropsTheNewest) {
  TcpBusOptions options = TestOptions(1);
  options.queue_messages_max = 10;
  options.queue_bytes_max = 10'000;
  Make(options);
  Connect();
  for (uint64_t i = 1; i <= 15; ++i) one_->bus.Send(2, Write(10, i));
  EXPECT_EQ(one_->bus.stats(2).messages_dropped, 5u);
  ASSERT_TRUE(RunUntilTwoReceived(10));
  EXPECT_EQ(std::get<ReplicaWrite>(two_->received.back().message).request, 10u);

  for (uint64_t i = 1; i <= 3; ++i) one_->bus.Send(2, Write(4000, i));
  EXPECT_EQ(one_->bus.stats(2).messages_dropped, 6u);
  EXPECT_LE(one_->bus.stats(2).queued_bytes, 10'000u);
  one_->bus.Send(2, Write(10, 4));  // a small one still fits
  ASSERT_TRUE(RunUntilTwoReceived(13));
  EXPECT_EQ(std::get<ReplicaWrite>(two_->received.back().message).request, 4u);
}

TEST_F(TcpBusTest, AMessageOverTheFrameLimitIsDroppedAndNoted) {
  TcpBusOptions options = TestOptions(1);
  options.frame_payload_bytes_max = 1000;
  Make(options);
  Connect();
  one_->bus.Send(2, Write(1000));
  one_->bus.Send(2, Write(900, 7));
  ASSERT_TRUE(RunUntilTwoReceived(1));
  EXPECT_EQ(std::get<ReplicaWrite>(two_->received[0].message).request, 7u);
  EXPECT_EQ(one_->bus.stats(2).messages_dropped, 1u);
  EXPECT_TRUE(one_->Noted("over the limit of 1000 for one frame")) << one_->AllNotes();
}

TEST_F(TcpBusTest, ABadFrameEndsTheConnectionWhichIsMadeAnew) {
  // Node 2 takes small frames only: what node 1 sends is oversized there.
  TcpBusOptions narrow = TestOptions(2);
  narrow.frame_payload_bytes_max = 1000;
  Make(TestOptions(1), narrow);
  Connect();
  one_->bus.Send(2, Write(2000));
  ASSERT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).connects == 2; }));
  EXPECT_TRUE(two_->Noted("connection from node 1 at 127.0.0.1 closed: bad frame: its length"))
      << two_->AllNotes();
  EXPECT_TRUE(one_->Noted(absl::StrCat("lost node 2 at ", Loopback(two_->bus.port()),
                                       ": it closed the connection; retrying")))
      << one_->AllNotes();
  EXPECT_EQ(one_->bus.stats(2).reconnects, 1u);
  one_->bus.Send(2, Write(10));
  EXPECT_TRUE(RunUntilTwoReceived(1));
}

TEST_F(TcpBusTest, AMalformedMessageEndsTheConnection) {
  TcpBusOptions strict = TestOptions(2);
  strict.decode_limits.key_bytes_max = 4;
  Make(TestOptions(1), strict);
  Connect();
  one_->bus.Send(2, Write(10));
  ASSERT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).connects == 2; }));
  EXPECT_TRUE(two_->Noted("closed: malformed message: ReplicaWrite.key: a key of 5 bytes"))
      << two_->AllNotes();
  EXPECT_TRUE(two_->received.empty());
}

TEST_F(TcpBusTest, AnswersMaySentFromWithinDelivery) {
  Make();
  two_->on_message = [this] { two_->bus.Send(1, Write(10, 2)); };
  Connect();
  one_->bus.Send(2, Write(10, 1));
  ASSERT_TRUE(RunUntil(&context_, [this] { return !one_->received.empty(); }));
  EXPECT_EQ(std::get<ReplicaWrite>(one_->received[0].message).request, 2u);
}

TEST_F(TcpBusTest, CloseFromWithinDeliveryStopsDelivery) {
  Make();
  two_->on_message = [this] { two_->bus.Close(); };
  Connect();
  for (uint64_t i = 0; i < 100; ++i) one_->bus.Send(2, Write(10, i));
  ASSERT_TRUE(RunUntil(&context_, [this] { return !one_->bus.stats(2).sending; }));
  RunFor(&context_, 20'000);
  EXPECT_EQ(two_->received.size(), 1u);
}

TEST_F(TcpBusTest, CloseLeavesNothingOnTheLoop) {
  Make();
  Connect();
  one_->bus.Send(2, Write(10));
  one_->bus.Close();
  two_->bus.Close();
  const size_t notes = one_->notes.size() + two_->notes.size();
  context_.restart();
  context_.run();  // returns only if no work is left
  EXPECT_EQ(one_->notes.size() + two_->notes.size(), notes);
  one_->bus.Send(2, Write(10));  // harmless
  one_->bus.SetPeer(3, "127.0.0.1:1");
}

TEST_F(TcpBusTest, DestructionWithWorkUnderWay) {
  Make();
  Connect();
  for (uint64_t i = 0; i < 100; ++i) one_->bus.Send(2, Write(100'000, i));
  RunFor(&context_, 500);
  one_.reset();
  RunFor(&context_, 20'000);
  two_.reset();
  context_.restart();
  context_.run();
}

TEST_F(TcpBusTest, LastWordsAreOfferedToTheKernel) {
  Make();
  Connect();
  one_->bus.Send(2, Write(10, 77));
  one_->bus.Close();
  ASSERT_TRUE(RunUntilTwoReceived(1));
  EXPECT_EQ(std::get<ReplicaWrite>(two_->received[0].message).request, 77u);
}

TEST_F(TcpBusTest, APortInUseIsReportedWithTheRemedy) {
  Make();
  TcpBusOptions options = TestOptions(3);
  options.listen_address = Loopback(one_->bus.port());
  TcpEndpoint three(&context_, options);
  const absl::Status status = three.bus.Listen();
  EXPECT_EQ(status.message(),
            absl::StrCat("peer port: cannot listen on ", options.listen_address,
                         ": Address already in use; stop the process that uses the port, or "
                         "choose another peer port"));
  EXPECT_EQ(three.bus.port(), 0);
}

TEST_F(TcpBusTest, AListenAddressMustBeNumeric) {
  TcpBusOptions options = TestOptions(1);
  options.listen_address = "some.host:7001";
  TcpEndpoint one(&context_, options);
  EXPECT_TRUE(absl::StrContains(one.bus.Listen().message(), "is no numeric address"));
}

TEST_F(TcpBusTest, AnUnreachablePeerIsNotedOnceAndRetried) {
  Make();
  const uint16_t port = two_->bus.port();
  two_.reset();
  one_->bus.Start();
  ASSERT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).connect_failures >= 4; }));
  EXPECT_EQ(one_->notes,
            std::vector<std::string>{absl::StrCat("cannot reach node 2 at ", Loopback(port),
                                                  ": could not connect: Connection refused; "
                                                  "retrying")});
  one_->bus.Send(2, Write(10));
  EXPECT_EQ(one_->bus.stats(2).queued_messages, 0u) << "a queue that only ages";
}

TEST_F(TcpBusTest, WhatWaitedForAnAttemptThatFailedIsDropped) {
  Make();
  two_.reset();
  one_->bus.Start();
  one_->bus.Send(2, Write(10));
  EXPECT_EQ(one_->bus.stats(2).queued_messages, 1u);
  ASSERT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).connect_failures >= 1; }));
  EXPECT_EQ(one_->bus.stats(2).queued_messages, 0u);
  EXPECT_EQ(one_->bus.stats(2).queued_bytes, 0u);
  EXPECT_EQ(one_->bus.stats(2).messages_dropped, 1u);
}

TEST_F(TcpBusTest, AHostThatIsNoneIsNoted) {
  TcpBusOptions options = TestOptions(1);
  options.peers = {{.id = 2, .address = "nowhere"}};
  TcpEndpoint one(&context_, options);
  one.bus.Start();
  ASSERT_TRUE(RunUntil(&context_, [&] { return one.bus.stats(2).connect_failures >= 1; }));
  EXPECT_TRUE(one.Noted("address \"nowhere\": it has no port")) << one.AllNotes();
}

TEST_F(TcpBusTest, ANameIsLookedUp) {
  Make();
  one_->bus.SetPeer(2, absl::StrCat("localhost:", two_->bus.port()));
  one_->bus.Start();
  ASSERT_TRUE(RunUntil(&context_, [this] {
    return one_->bus.stats(2).sending || one_->bus.stats(2).connect_failures > 2;
  }));
  EXPECT_TRUE(one_->bus.stats(2).sending) << one_->AllNotes();
}

TEST_F(TcpBusTest, ANewAddressIsDialledAtOnce) {
  TcpBusOptions slow = TestOptions(1);
  slow.back_off_min_us = slow.back_off_max_us = 3'600'000'000;
  Make(slow);
  one_->bus.SetPeer(2, "127.0.0.1:1");
  one_->bus.Start();
  ASSERT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).connect_failures == 1; }));
  one_->bus.SetPeer(2, Loopback(two_->bus.port()));
  EXPECT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).sending; }));
}

TEST_F(TcpBusTest, APeerThatReachesUsIsDialledAtOnce) {
  TcpBusOptions slow = TestOptions(1);
  slow.back_off_min_us = slow.back_off_max_us = 3'600'000'000;
  Make(slow);
  const uint16_t port = two_->bus.port();
  two_.reset();
  one_->bus.Start();
  ASSERT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).connect_failures == 1; }));
  TcpBusOptions back = TestOptions(2, 2);
  back.listen_address = Loopback(port);
  two_ = std::make_unique<TcpEndpoint>(&context_, back);
  ASSERT_TRUE(two_->bus.Listen().ok());
  two_->bus.SetPeer(1, Loopback(one_->bus.port()));
  two_->bus.Start();
  EXPECT_TRUE(RunUntil(&context_, [this] { return one_->bus.stats(2).sending; }));
}

TEST_F(TcpBusTest, AMessageToAStrangerIsNoted) {
  Make();
  one_->bus.Send(9, Write(10));
  EXPECT_TRUE(one_->Noted("message to node 9 dropped: it is no peer in the configuration"));
  EXPECT_EQ(one_->bus.stats(9).messages_sent, 0u);
  EXPECT_EQ(one_->bus.peers(), std::vector<NodeId>{2});
}

TEST(TcpBusDeathTest, AMessageToOurselvesIsABug) {
  asio::io_context context;
  TcpEndpoint one(&context, TestOptions(1));
  EXPECT_DEATH(one.bus.Send(1, Write(10)), "check failed");
}

// ---- Its parts --------------------------------------------------------------------

TEST(BackOffTest, DoublesWithJitterUpToTheCap) {
  BackOff back_off(50'000, 2'000'000, 7);
  for (int round = 0; round < 2; ++round) {
    int64_t ceiling_us = 50'000;
    for (int i = 0; i < 12; ++i) {
      const int64_t pause_us = back_off.NextUs();
      EXPECT_GE(pause_us, ceiling_us / 2);
      EXPECT_LE(pause_us, ceiling_us);
      ceiling_us = std::min<int64_t>(2 * ceiling_us, 2'000'000);
    }
    back_off.Reset();
  }
  // Nodes that lost a peer together do not return together.
  BackOff other(50'000, 2'000'000, 8);
  EXPECT_NE(back_off.NextUs(), other.NextUs());
}

TEST(NoteGateTest, LetsATextThroughOnceAMinute) {
  NoteGate gate;
  const NoteGate::Clock::time_point start{};
  EXPECT_TRUE(gate.Pass("a", start));
  EXPECT_FALSE(gate.Pass("a", start + std::chrono::seconds(59)));
  EXPECT_TRUE(gate.Pass("b", start + std::chrono::seconds(59)));
  EXPECT_TRUE(gate.Pass("a", start + std::chrono::seconds(60)));
  EXPECT_FALSE(gate.Pass("a", start + std::chrono::seconds(61)));
}

}  // namespace
}  // namespace norn::net
