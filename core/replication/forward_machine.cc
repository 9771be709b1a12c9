#include "core/replication/forward_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/replication/request_check.h"

namespace norn {

namespace {

using Outcome = ClientReply::Outcome;

}  // namespace

void ForwardMachine::Begin(StepContext& step, ClientRequest&& request, NodeId to,
                           int64_t deadline_us) {
  if (to == kNoNode) {
    ClientReply reply;
    reply.client = request.client;
    reply.outcome = Outcome::kNotApplied;
    reply.message = absl::StrCat("no replica of the key \"", request.key,
                                 "\" has been heard of yet: try again, or another node");
    step.out.replies.push_back(std::move(reply));
    return;
  }
  const RequestId id = node_.NextRequestId();
  forwards_[id] = Outgoing{request.client, to};
  deadlines_.Add(deadline_us, id);
  ++node_.status.forwards;

  Forward forward;
  forward.request = id;
  forward.sequence = ++last_sequence_[to];
  forward.sender_generation = node_.generation;
  forward.receiver_generation = membership_.GenerationOf(to);
  forward.layout = node_.layout.version();
  forward.remaining_us = RemainingUs(step.now, deadline_us);
  forward.operation = std::move(request);
  step.Send(to, std::move(forward));
}

void ForwardMachine::OnForward(StepContext& step, NodeId from, Forward&& forward, bool accepting) {
  if (forward.receiver_generation == node_.generation &&
      !windows_[from].Accept(forward.sender_generation, forward.sequence)) {
    return;  // doubled, or so late that it may be: the first one was answered
  }
  ForwardReply refusal;
  refusal.request = forward.request;
  refusal.status = ReplicaStatus::kOk;
  if (forward.receiver_generation != node_.generation) {
    refusal.status = ReplicaStatus::kRefused;
  } else if (forward.layout != node_.layout.version()) {
    refusal.status = ReplicaStatus::kWrongLayout;
  } else if (!accepting || puts_.in_flight() >= node_.options.requests_in_flight_max) {
    refusal.status = ReplicaStatus::kOverloaded;
  }
  ClientRequest& request = forward.operation;
  request.client = 0;
  if (refusal.status == ReplicaStatus::kOk) {
    const absl::Status valid = CheckRequest(node_, request);
    const PartitionId partition =
        node_.layout.PartitionOf(MakeRecordKey(request.bucket, request.key));
    if (!valid.ok() || request.kind == ClientRequest::Kind::kGet) {
      refusal.reply.outcome = Outcome::kInvalid;
      refusal.reply.message =
          valid.ok() ? "only writes are forwarded" : std::string(valid.message());
    } else if (!MayMint(MakeRecordKey(request.bucket, request.key), partition)) {
      refusal.status = ReplicaStatus::kWrongLayout;
    } else {
      const int64_t remaining_us =
          std::clamp(forward.remaining_us, int64_t{1}, node_.options.request_timeout_us);
      puts_.Begin(step, std::move(request), WriteOrigin{from, forward.request, 0},
                  step.now.monotonic_us + remaining_us);
      return;
    }
  }
  step.Send(from, std::move(refusal));
}

// A sloppy bucket's sender has seen that no replica can be reached. What we see ourselves may be
// otherwise, and is no reason to refuse: what we mint reaches the replicas all the same.
bool ForwardMachine::MayMint(absl::string_view key, PartitionId partition) const {
  if (node_.IsReplicaOf(node_.self(), key, partition)) return true;
  const absl::Span<const NodeId> stand_ins = node_.StandInsOf(key, partition);
  return std::find(stand_ins.begin(), stand_ins.end(), node_.self()) != stand_ins.end();
}

void ForwardMachine::OnForwardReply(StepContext& step, NodeId from, ForwardReply&& reply) {
  const auto it = forwards_.find(reply.request);
  if (it == forwards_.end() || it->second.to != from) return;
  ClientReply out;
  switch (reply.status) {
    case ReplicaStatus::kOk:
      out = std::move(reply.reply);
      break;
    case ReplicaStatus::kRefused:
      // Its earlier generation may have minted a first copy of the message.
      out.outcome = Outcome::kUnknown;
      out.message = absl::StrCat("replica ", from,
                                 " has restarted meanwhile: the write may have taken effect "
                                 "before; read to find out");
      break;
    case ReplicaStatus::kWrongLayout:
      out.outcome = Outcome::kNotApplied;
      out.message = absl::StrCat("replica ", from,
                                 " works under another layout: compare the nodes' configurations");
      break;
    case ReplicaStatus::kStale:  // of records, never of forwards
    case ReplicaStatus::kOverloaded:
      out.outcome = Outcome::kOverloaded;
      out.message = absl::StrCat("replica ", from, " takes no more writes now: try again later");
      break;
    case ReplicaStatus::kIncomplete:  // not said of forwards: a put may be minted anywhere
    case ReplicaStatus::kError:
      out.outcome = Outcome::kUnknown;
      out.message = absl::StrCat("replica ", from, " failed: read to find out");
      break;
  }
  Finish(step, reply.request, std::move(out));
}

void ForwardMachine::Finish(StepContext& step, RequestId id, ClientReply&& reply) {
  const auto it = forwards_.find(id);
  CORE_CHECK(it != forwards_.end());
  reply.client = it->second.client;
  forwards_.erase(it);
  step.out.replies.push_back(std::move(reply));
}

void ForwardMachine::OnTimer(StepContext& step) {
  RequestId id = 0;
  while (deadlines_.PopDue(step.now.monotonic_us, &id)) {
    const auto it = forwards_.find(id);
    if (it == forwards_.end()) continue;
    ClientReply reply;
    reply.outcome = Outcome::kUnknown;
    reply.message = absl::StrCat("replica ", it->second.to,
                                 " did not answer in time: the write may still take effect; read "
                                 "to find out");
    Finish(step, id, std::move(reply));
  }
}

}  // namespace norn
