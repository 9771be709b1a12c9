// Writes that must be minted elsewhere: a coordinator that is no replica hands them to the
// node that is to mint them (routing.h), and that one coordinates.
//
// A forward that may have been sent is never tried elsewhere, or one put could become two
// siblings (riak_kv #838), or come back after it was overwritten: without an answer the
// client is told kUnknown. The receiver mints once per forward: a doubled one falls
// through its replay window in silence (an answer would contradict the first), and one
// that was meant for another generation of it is refused.

#ifndef NORN_CORE_REPLICATION_FORWARD_MACHINE_H_
#define NORN_CORE_REPLICATION_FORWARD_MACHINE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "core/deadlines.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/put_machine.h"
#include "core/replication/replay_window.h"

namespace norn {

class ForwardMachine {
 public:
  ForwardMachine(NodeContext& node, const Membership& membership, PutMachine& puts)
      : node_(node), membership_(membership), puts_(puts) {}

  // `request` was validated. `to`: who is to mint it; kNoNode: nobody is known.
  void Begin(StepContext& step, ClientRequest&& request, NodeId to, int64_t deadline_us);

  // `accepting`: this node serves clients now; otherwise what is new is refused.
  void OnForward(StepContext& step, NodeId from, Forward&& forward, bool accepting);
  void OnForwardReply(StepContext& step, NodeId from, ForwardReply&& reply);
  void OnTimer(StepContext& step);

  int64_t NextDeadline() const { return deadlines_.Next(); }
  size_t in_flight() const { return forwards_.size(); }

 private:
  struct Outgoing {
    uint64_t client = 0;
    NodeId to = kNoNode;
  };

  // `key`: the record key.
  bool MayMint(absl::string_view key, PartitionId partition) const;
  void Finish(StepContext& step, RequestId id, ClientReply&& reply);

  NodeContext& node_;
  const Membership& membership_;
  PutMachine& puts_;
  absl::flat_hash_map<RequestId, Outgoing> forwards_;
  std::map<NodeId, uint64_t> last_sequence_;  // of our forwards, by receiver
  std::map<NodeId, ReplayWindow> windows_;    // of theirs, by sender
  Deadlines deadlines_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_FORWARD_MACHINE_H_
