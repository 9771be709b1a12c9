// The side of an exchange that answers: exchange.h has the whole of it.
//
// Keeps nothing between messages but the scans that it waits for; all it does is merging, so
// a lost, doubled or stale message costs time, never data.

#ifndef NORN_CORE_ANTIENTROPY_EXCHANGE_SERVER_H_
#define NORN_CORE_ANTIENTROPY_EXCHANGE_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/antientropy/byte_throttle.h"
#include "core/antientropy/merkle_forest.h"
#include "core/node_context.h"
#include "core/replication/minter.h"

namespace norn {

class ExchangeServer {
 public:
  // `throttle` is charged with what is sent and taken; offers are refused while it owes much.
  // `is_complete` tells whether we are a complete replica of a partition that we hold, as far as
  // the keys with cursors in [from, to) go ("" as `to`: no bound).
  using IsComplete =
      std::function<bool(PartitionId, const std::string& from, const std::string& to)>;
  ExchangeServer(NodeContext& node, const Minter& minter, const MerkleForest& forest,
                 ByteThrottle& throttle, IsComplete is_complete)
      : node_(node),
        minter_(minter),
        forest_(forest),
        throttle_(throttle),
        is_complete_(std::move(is_complete)) {}

  void OnCompare(StepContext& step, NodeId from, const TreeCompare& compare);
  void OnOffer(StepContext& step, NodeId from, ExchangeOffer&& offer);
  void OnRecords(StepContext& step, NodeId from, ExchangeRecords&& records);
  void OnStoreReply(StepContext& step, uint64_t id, const StoreReply& reply);

 private:
  // An offer, while we scan for it.
  struct Incoming {
    NodeId from = kNoNode;
    ExchangeOffer offer;
    bool complete = false;  // we were, when it came
    uint64_t epoch = 0;     // ours then
  };

  bool Holds(PartitionId partition) const;
  void AnswerOffer(StepContext& step, const Incoming& incoming, const StoreReply& scan);
  void Charge(StepContext& step, size_t bytes);

  NodeContext& node_;
  const Minter& minter_;
  const MerkleForest& forest_;
  ByteThrottle& throttle_;
  const IsComplete is_complete_;
  std::map<uint64_t, Incoming> incoming_;  // by store id
  uint64_t next_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_EXCHANGE_SERVER_H_
