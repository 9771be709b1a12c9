// The contract of MessageBus (core/ports.h), as tests that every bus has to pass.
//
// A world W provides:
//   W();
//   void Make(int nodes);                   // nodes 1 to `nodes`, each a peer of all others
//   MessageBus& bus(NodeId id);             // of a node that runs
//   const std::vector<MessageReceived>& received(NodeId id);  // all so far, restarts included
//   bool RunUntil(const std::function<bool()>& done);  // false: gave up, after far too long
//   void RunFor(int64_t us);                // of the world's own time
//   void Stop(NodeId id);                   // the node crashes: its bus is gone
//   void Restart(NodeId id);                // and is there again, in its next generation
// and is used as
//   INSTANTIATE_TYPED_TEST_SUITE_P(Name, MessageBusContract, W);
//
// The world has no faults other than those asked for. A bus may lose what is sent to or by a
// node that stops; it may not do so without bound once the node is back.

#ifndef NORN_TESTS_CONTRACTS_MESSAGE_BUS_CONTRACT_H_
#define NORN_TESTS_CONTRACTS_MESSAGE_BUS_CONTRACT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/events.h"
#include "core/messages.h"
#include "core/ports.h"
#include "core/random.h"
#include "core/types.h"
#include "gtest/gtest.h"
#include "net/message_testing.h"

namespace norn {

template <typename World>
class MessageBusContract : public testing::Test {
 protected:
  // Longer than messages need that are already under way.
  static constexpr int64_t kSettleUs = 50'000;

  void Send(NodeId from, NodeId to, Message message) {
    world_.bus(from).Send(to, std::move(message));
  }

  // A message that says which one it is.
  static Message Numbered(uint64_t number, size_t record_bytes = 10) {
    return ReplicaWrite{.request = number,
                        .layout = 1,
                        .partition = 0,
                        .key = MakeRecordKey(0, "key"),
                        .record = std::string(record_bytes, 'r')};
  }

  // The numbers of what `to` received from `from`, in order of arrival.
  std::vector<uint64_t> Numbers(NodeId from, NodeId to) {
    std::vector<uint64_t> numbers;
    for (const MessageReceived& received : world_.received(to)) {
      if (received.from != from) continue;
      const auto* const write = std::get_if<ReplicaWrite>(&received.message);
      EXPECT_NE(write, nullptr);
      if (write != nullptr) numbers.push_back(write->request);
    }
    return numbers;
  }

  static std::vector<uint64_t> OneTo(uint64_t last) {
    std::vector<uint64_t> numbers;
    for (uint64_t number = 1; number <= last; ++number) numbers.push_back(number);
    return numbers;
  }

  bool RunUntilReceived(NodeId id, size_t count) {
    return world_.RunUntil([this, id, count] { return world_.received(id).size() >= count; });
  }

  // Sends numbered messages until one gets through; false if none does for far too long.
  bool SendUntilReceived(NodeId from, NodeId to, uint64_t* number) {
    const size_t before = world_.received(to).size();
    for (int attempt = 0; attempt < 1000; ++attempt) {
      Send(from, to, Numbered((*number)++));
      world_.RunFor(10'000);
      if (world_.received(to).size() > before) return true;
    }
    return false;
  }

  static void ExpectRising(const std::vector<uint64_t>& numbers) {
    for (size_t i = 1; i < numbers.size(); ++i) {
      EXPECT_LT(numbers[i - 1], numbers[i]) << "doubled, or overtaken, at position " << i;
    }
  }

  World world_;
};

TYPED_TEST_SUITE_P(MessageBusContract);

TYPED_TEST_P(MessageBusContract, MessagesArriveEqualAndInOrder) {
  this->world_.Make(2);
  std::vector<Message> sent = net::OneOfEach();
  Random random(7);
  for (int i = 0; i < 300; ++i) sent.push_back(net::RandomMessage(&random));
  for (const Message& message : sent) this->Send(1, 2, message);
  ASSERT_TRUE(this->RunUntilReceived(2, sent.size()));
  this->world_.RunFor(this->kSettleUs);
  const std::vector<MessageReceived>& received = this->world_.received(2);
  ASSERT_EQ(received.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(received[i].from, 1);
    EXPECT_TRUE(net::SameMessage(received[i].message, sent[i]))
        << "message " << i << ", a " << MessageName(sent[i]);
  }
  EXPECT_TRUE(this->world_.received(1).empty());
}

TYPED_TEST_P(MessageBusContract, EveryPairIsOrderedAndApart) {
  constexpr uint64_t kEach = 500;
  this->world_.Make(3);
  for (uint64_t number = 1; number <= kEach; ++number) {
    for (NodeId from = 1; from <= 3; ++from) {
      for (NodeId to = 1; to <= 3; ++to) {
        if (from != to) this->Send(from, to, this->Numbered(number));
      }
    }
    if (number % 50 == 0) this->world_.RunFor(1000);
  }
  for (NodeId to = 1; to <= 3; ++to) ASSERT_TRUE(this->RunUntilReceived(to, 2 * kEach));
  this->world_.RunFor(this->kSettleUs);
  for (NodeId to = 1; to <= 3; ++to) {
    EXPECT_EQ(this->world_.received(to).size(), 2 * kEach);
    for (NodeId from = 1; from <= 3; ++from) {
      const bool pair = from != to;
      EXPECT_EQ(this->Numbers(from, to), this->OneTo(pair ? kEach : 0)) << from << " to " << to;
    }
  }
}

TYPED_TEST_P(MessageBusContract, OnlyTheAddresseeReceives) {
  this->world_.Make(3);
  for (uint64_t number = 1; number <= 100; ++number) this->Send(1, 3, this->Numbered(number));
  ASSERT_TRUE(this->RunUntilReceived(3, 100));
  this->world_.RunFor(this->kSettleUs);
  EXPECT_TRUE(this->world_.received(1).empty());
  EXPECT_TRUE(this->world_.received(2).empty());
}

TYPED_TEST_P(MessageBusContract, LargeMessagesAmongSmallOnes) {
  this->world_.Make(2);
  const std::vector<size_t> sizes = {1, 1u << 20, 1, 2u << 20, 0, 4u << 20, 1, 65535, 65536, 1};
  for (size_t i = 0; i < sizes.size(); ++i) this->Send(1, 2, this->Numbered(i + 1, sizes[i]));
  ASSERT_TRUE(this->RunUntilReceived(2, sizes.size()));
  EXPECT_EQ(this->Numbers(1, 2), this->OneTo(sizes.size()));
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto& write = std::get<ReplicaWrite>(this->world_.received(2)[i].message);
    EXPECT_EQ(write.record, std::string(sizes[i], 'r'));
  }
}

TYPED_TEST_P(MessageBusContract, ManyMessages) {
  constexpr uint64_t kBatch = 1000;
  constexpr uint64_t kBatches = 20;
  this->world_.Make(2);
  uint64_t number = 0;
  for (uint64_t batch = 1; batch <= kBatches; ++batch) {
    for (uint64_t i = 0; i < kBatch; ++i) this->Send(1, 2, this->Numbered(++number));
    ASSERT_TRUE(this->RunUntilReceived(2, number));
  }
  EXPECT_EQ(this->Numbers(1, 2), this->OneTo(kBatch * kBatches));
}

TYPED_TEST_P(MessageBusContract, AnAbsentPeerBlocksNobodyAndIsReachedAgain) {
  this->world_.Make(3);
  this->Send(1, 2, this->Numbered(1));
  this->Send(1, 3, this->Numbered(1));
  ASSERT_TRUE(this->RunUntilReceived(2, 1));
  ASSERT_TRUE(this->RunUntilReceived(3, 1));

  this->world_.Stop(2);
  for (uint64_t number = 2; number <= 1000; ++number) {
    this->Send(1, 2, this->Numbered(number));
    this->Send(1, 3, this->Numbered(number));
    if (number % 100 == 0) this->world_.RunFor(1000);
  }
  ASSERT_TRUE(this->RunUntilReceived(3, 1000));
  EXPECT_EQ(this->Numbers(1, 3), this->OneTo(1000));

  this->world_.Restart(2);
  uint64_t number = 1001;
  ASSERT_TRUE(this->SendUntilReceived(1, 2, &number)) << "node 2 is never reached again";
  // From now on nothing is lost.
  this->world_.RunFor(this->kSettleUs);
  const uint64_t first = number;
  for (; number < first + 100; ++number) this->Send(1, 2, this->Numbered(number));
  ASSERT_TRUE(this->world_.RunUntil([this, number] {
    const std::vector<uint64_t> numbers = this->Numbers(1, 2);
    return !numbers.empty() && numbers.back() == number - 1;
  }));
  const std::vector<uint64_t> numbers = this->Numbers(1, 2);
  this->ExpectRising(numbers);
  ASSERT_GE(numbers.size(), 101u);
  EXPECT_EQ(numbers[numbers.size() - 100], first);
}

TYPED_TEST_P(MessageBusContract, ARestartedNodeReachesTheOthers) {
  this->world_.Make(2);
  this->Send(2, 1, this->Numbered(1));
  ASSERT_TRUE(this->RunUntilReceived(1, 1));
  uint64_t number = 2;
  for (int restart = 0; restart < 3; ++restart) {
    this->world_.Stop(2);
    this->world_.RunFor(this->kSettleUs);
    this->world_.Restart(2);
    ASSERT_TRUE(this->SendUntilReceived(2, 1, &number)) << "restart " << restart;
    ASSERT_TRUE(this->SendUntilReceived(1, 2, &number)) << "restart " << restart;
  }
  this->ExpectRising(this->Numbers(2, 1));
  this->ExpectRising(this->Numbers(1, 2));
}

REGISTER_TYPED_TEST_SUITE_P(MessageBusContract, MessagesArriveEqualAndInOrder,
                            EveryPairIsOrderedAndApart, OnlyTheAddresseeReceives,
                            LargeMessagesAmongSmallOnes, ManyMessages,
                            AnAbsentPeerBlocksNobodyAndIsReachedAgain,
                            ARestartedNodeReachesTheOthers);

}  // namespace norn

#endif  // NORN_TESTS_CONTRACTS_MESSAGE_BUS_CONTRACT_H_
