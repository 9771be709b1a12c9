// The TCP bus and the simulated one keep the contract of MessageBus.

#include "tests/contracts/message_bus_contract.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "asio/io_context.hpp"
#include "core/events.h"
#include "core/ports.h"
#include "core/random.h"
#include "core/types.h"
#include "gtest/gtest.h"
#include "net/tcp_bus_testing.h"
#include "net/tcp_options.h"
#include "sim/fault_plan.h"
#include "sim/scheduler.h"
#include "sim/sim_bus.h"
#include "sim/sim_network.h"
#include "sim/trace.h"

namespace norn {
namespace {

class TcpWorld {
 public:
  void Make(int nodes) {
    for (int id = 1; id <= nodes; ++id) StartNode(static_cast<NodeId>(id));
  }

  MessageBus& bus(NodeId id) { return nodes_.at(id).endpoint->bus; }

  const std::vector<MessageReceived>& received(NodeId id) {
    Node& node = nodes_.at(id);
    if (node.endpoint != nullptr) TakeReceived(&node);
    return node.received;
  }

  bool RunUntil(const std::function<bool()>& done) { return net::RunUntil(&context_, done); }
  void RunFor(int64_t us) { net::RunFor(&context_, us); }

  void Stop(NodeId id) {
    TakeReceived(&nodes_.at(id));
    nodes_.at(id).endpoint.reset();
  }
  void Restart(NodeId id) { StartNode(id); }

 private:
  struct Node {
    std::unique_ptr<net::TcpEndpoint> endpoint;  // null: stopped
    Generation generation = 0;
    uint16_t port = 0;
    std::vector<MessageReceived> received;
  };

  void StartNode(NodeId id) {
    Node& node = nodes_[id];
    net::TcpBusOptions options = net::TestOptions(id, ++node.generation);
    options.listen_address = net::Loopback(node.port);  // the first time: any
    node.endpoint = std::make_unique<net::TcpEndpoint>(&context_, options);
    const absl::Status status = node.endpoint->bus.Listen();
    ASSERT_TRUE(status.ok()) << status;
    node.port = node.endpoint->bus.port();
    for (auto& [other_id, other] : nodes_) {
      if (other_id == id) continue;
      node.endpoint->bus.SetPeer(other_id, net::Loopback(other.port));
      if (other.endpoint != nullptr) other.endpoint->bus.SetPeer(id, net::Loopback(node.port));
    }
    node.endpoint->bus.Start();
  }

  static void TakeReceived(Node* node) {
    for (MessageReceived& message : node->endpoint->received) {
      node->received.push_back(std::move(message));
    }
    node->endpoint->received.clear();
  }

  asio::io_context context_;
  std::map<NodeId, Node> nodes_;
};

// The simulated bus on a network without faults.
class SimWorld {
 public:
  SimWorld()
      : trace_(nullptr),
        network_(scheduler_, trace_, sim::KeyedSeed(11), &no_faults_, 50, 5'000,
                 [this](NodeId from, NodeId to, const std::string& bytes) {
                   Node& node = nodes_.at(to);
                   if (node.bus == nullptr) return;  // as SimNode: nobody is there
                   node.received.push_back(node.bus->Receive(from, bytes));
                 }) {}

  void Make(int nodes) {
    for (int id = 1; id <= nodes; ++id) Restart(static_cast<NodeId>(id));
  }

  MessageBus& bus(NodeId id) { return *nodes_.at(id).bus; }
  const std::vector<MessageReceived>& received(NodeId id) { return nodes_.at(id).received; }

  bool RunUntil(const std::function<bool()>& done) {
    for (int64_t waited_us = 0; waited_us < 60'000'000; waited_us += 1'000) {
      if (done()) return true;
      RunFor(1'000);
    }
    return done();
  }
  void RunFor(int64_t us) { scheduler_.RunUntil(scheduler_.now_us() + us); }

  void Stop(NodeId id) { nodes_.at(id).bus.reset(); }
  void Restart(NodeId id) {
    nodes_[id].bus = std::make_unique<sim::SimBus>(scheduler_, trace_, network_, id);
  }

 private:
  struct Node {
    std::unique_ptr<sim::SimBus> bus;  // null: stopped
    std::vector<MessageReceived> received;
  };

  sim::Scheduler scheduler_;
  sim::Trace trace_;
  std::vector<sim::Fault> no_faults_;
  sim::SimNetwork network_;
  std::map<NodeId, Node> nodes_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, MessageBusContract, SimWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Tcp, MessageBusContract, TcpWorld);

}  // namespace
}  // namespace norn
