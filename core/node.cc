#include "core/node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/antientropy/exchange.h"
#include "core/antientropy/exchange_server.h"
#include "core/antientropy/merkle_forest.h"
#include "core/check.h"
#include "core/coding.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/damage_repair.h"
#include "core/replication/discarder.h"
#include "core/replication/forward_machine.h"
#include "core/replication/get_machine.h"
#include "core/replication/hint_attestor.h"
#include "core/replication/hint_handoff.h"
#include "core/replication/hint_machine.h"
#include "core/replication/minter.h"
#include "core/replication/owed_writes.h"
#include "core/replication/put_machine.h"
#include "core/replication/replica_machine.h"
#include "core/replication/request_check.h"
#include "core/replication/routing.h"
#include "core/replication/standing.h"
#include "core/replication/tombstone_collector.h"
#include "core/replication/tombstone_voter.h"

namespace norn {

namespace {

using Outcome = ClientReply::Outcome;

constexpr uint8_t kIdentityFormat = 0x01;
constexpr int64_t kIdentityRetryUs = 1'000'000;

Generation DecodeIdentity(absl::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.ReadByte() != kIdentityFormat) return 0;
  const Generation generation = reader.ReadVarint();
  return reader.Done() ? generation : 0;
}

}  // namespace

// The machines, and the few steps of a node's life: starting (its generation and first
// lease become durable), serving, draining.
struct Node::State {
  State(const ClusterConfig& cluster, const NodeOptions& options)
      : context(cluster, options),
        membership(context),
        minter(context),
        forest(context),
        exchange_throttle(context.options.exchange_bytes_per_second),
        exchange(context, membership, minter, forest, exchange_throttle),
        standing(context, membership, minter, exchange),
        exchange_server(
            context, minter, forest, exchange_throttle,
            [this](PartitionId partition, const std::string& from, const std::string& to) {
              return standing.VouchesFor(partition, from, to);
            }),
        hints(context),
        owed(context),
        handoff(context, membership, hints, owed),
        attestor(context, standing, hints),
        collector(context, membership, standing, attestor),
        voter(context, standing),
        discarder(context, forest),
        damage(context, membership, minter, hints.minter(), standing, forest, exchange_throttle),
        puts(context, membership, minter, hints, owed),
        gets(context, membership, standing, hints),
        forwards(context, membership, puts),
        replica(context, standing) {}

  void OnStart(StepContext& step, const Start& start);
  void RaiseGeneration(StepContext& step, Generation above);
  void OnIdentityStored(StepContext& step, const StoreReply& reply);
  void MaybeServe(StepContext& step);
  void OnMessage(StepContext& step, NodeId from, Message&& message);
  void OnClient(StepContext& step, ClientRequest&& request);
  void OnStoreReply(StepContext& step, StoreReply&& reply);
  void OnHintReply(StepContext& step, HintMachine::Answered&& answered);
  void OnTimer(StepContext& step);
  void PassOn(StepContext& step);
  void CountReplies(const Effects& out);
  void MaybeClose(StepContext& step);
  bool idle() const {
    return in_flight() == 0 && replica.in_flight() == 0 && hints.in_flight() == 0;
  }

  bool serving() const { return context.status.started && !context.status.draining; }
  // Requests that timed out leave theirs with the store: a stuck disk must not gather them without
  // end. Far from what a store that keeps up ever has.
  size_t StoreRequestsMax() const {
    return 64 + 2 * context.options.requests_in_flight_max + 4 * context.options.replica_work_max;
  }
  size_t in_flight() const { return puts.in_flight() + gets.in_flight() + forwards.in_flight(); }

  NodeContext context;
  Membership membership;
  Minter minter;
  MerkleForest forest;
  ByteThrottle exchange_throttle;
  Exchange exchange;
  Standing standing;
  ExchangeServer exchange_server;
  HintMachine hints;
  OwedWrites owed;
  HintHandoff handoff;
  HintAttestor attestor;
  TombstoneCollector collector;
  TombstoneVoter voter;
  Discarder discarder;
  DamageRepair damage;
  PutMachine puts;
  GetMachine gets;
  ForwardMachine forwards;
  ReplicaMachine replica;

  size_t store_unanswered = 0;  // requests to the store
  bool start_seen = false;
  bool store_created = false;
  Generation next_generation = 0;  // being made durable; 0: none
  int64_t identity_retry_us = kNever;
};

void Node::State::OnStart(StepContext& step, const Start& start) {
  CORE_CHECK(!start_seen);
  start_seen = true;
  store_created = start.recovery.created;
  context.random = Random(start.seed);
  context.request_base = context.random.Next64();
  const Generation last = DecodeIdentity(start.recovery.identity);
  if (last == 0 && !start.recovery.created) {
    step.Note(Note::Level::kWarning,
              "the slot \"identity\" is missing or damaged: peers will tell our generation");
  }
  context.last_sequence = start.recovery.last_sequence;
  minter.Start(step, start.recovery);
  standing.Start(step, start.recovery);
  forest.Start(step, start.recovery, last);
  RaiseGeneration(step, last);
}

void Node::State::RaiseGeneration(StepContext& step, Generation above) {
  next_generation = above + 1;
  StoreSlot slot;
  slot.ticket = MakeTicket(TicketKind::kIdentity, 0);
  slot.name = "identity";
  slot.bytes.push_back(static_cast<char>(kIdentityFormat));
  AppendVarint(&slot.bytes, next_generation);
  step.out.store.emplace_back(std::move(slot));
}

void Node::State::OnIdentityStored(StepContext& step, const StoreReply& reply) {
  if (!reply.status.ok()) {
    step.Note(Note::Level::kError,
              absl::StrCat("the generation cannot be made durable, the node waits: ",
                           absl::string_view(reply.status.message())));
    identity_retry_us = step.now.monotonic_us + kIdentityRetryUs;
    return;
  }
  const bool first = context.generation == 0;
  context.generation = std::exchange(next_generation, 0);
  context.status.generation = context.generation;
  if (!first) {
    membership.GenerationRaised();
    return;
  }
  membership.Start(step);
  exchange.Start(step);
  collector.Start(step);
  standing.Speak(step);
  damage.Start(step);
  hints.Start(step);
  MaybeServe(step);
}

void Node::State::MaybeServe(StepContext& step) {
  if (context.status.started || context.generation == 0 || !minter.ready()) return;
  context.status.started = true;
  step.Note(Note::Level::kInfo, absl::StrCat("serving as generation ", context.generation));
}

void Node::State::OnMessage(StepContext& step, NodeId from, Message&& message) {
  if (context.generation == 0) return;   // we are nobody yet: as if it were lost
  if (!membership.IsPeer(from)) return;  // who is not in the configuration has no say
  if (forest.closing() && !std::holds_alternative<Gossip>(message)) return;  // MaybeClose()
  struct Visitor {
    State& s;
    StepContext& step;
    NodeId from;
    void operator()(Gossip&& m) { s.membership.OnGossip(step, from, m); }
    void operator()(ReplicaWrite&& m) {
      if (m.hint_for == kNoNode) {
        s.replica.OnWrite(step, from, std::move(m));
      } else {
        s.hints.OnWrite(step, from, std::move(m));
      }
    }
    void operator()(ReplicaRead&& m) {
      if (m.hint_for == kNoNode) {
        s.replica.OnRead(step, from, std::move(m));
      } else {
        s.hints.OnRead(step, from, std::move(m));
      }
    }
    void operator()(ReplicaWriteReply&& m) {
      // Request ids are unique: one of them knows it.
      if (s.puts.Knows(m.request)) {
        s.puts.OnReplicaReply(step, from, std::move(m));
      } else if (!s.handoff.OnReplicaReply(step, from, m)) {
        s.gets.OnReplicaWriteReply(step, from, std::move(m));
      }
    }
    void operator()(ReplicaReadReply&& m) { s.gets.OnReplicaReply(step, from, std::move(m)); }
    void operator()(Forward&& m) {
      const bool accepting = s.serving() && s.store_unanswered < s.StoreRequestsMax();
      s.forwards.OnForward(step, from, std::move(m), accepting);
    }
    void operator()(ForwardReply&& m) { s.forwards.OnForwardReply(step, from, std::move(m)); }
    void operator()(ExchangeOffer&& m) { s.exchange_server.OnOffer(step, from, std::move(m)); }
    void operator()(ExchangeAnswer&& m) {
      if (s.damage.Knows(m.request)) {
        s.damage.OnAnswer(step, from, std::move(m));
      } else {
        s.exchange.OnAnswer(step, from, std::move(m));
      }
    }
    void operator()(ExchangeRecords&& m) { s.exchange_server.OnRecords(step, from, std::move(m)); }
    void operator()(TreeCompare&& m) { s.exchange_server.OnCompare(step, from, m); }
    void operator()(TreeAnswer&& m) { s.exchange.OnTreeAnswer(step, from, m); }
    void operator()(Introduction&& m) { s.standing.OnIntroduction(step, from, m); }
    void operator()(IntroductionAnswer&& m) { s.standing.OnAnswer(step, from, m); }
    void operator()(TombstoneOffer&& m) { s.voter.OnOffer(step, from, std::move(m)); }
    void operator()(TombstoneAnswer&& m) { s.collector.OnAnswer(step, from, std::move(m)); }
    void operator()(EpochRaise&& m) { s.standing.OnRaise(step, from, m); }
    void operator()(EpochAnswer&& m) { s.collector.OnRaised(step, from, m); }
    void operator()(HintAttest&& m) { s.attestor.OnAttest(step, from, m); }
    void operator()(HintAttestation&& m) { s.collector.OnAttestation(step, from, m); }
    void operator()(TombstoneRemoval&& m) { s.voter.OnRemoval(step, std::move(m)); }
  };
  std::visit(Visitor{*this, step, from}, std::move(message));
  for (const NodeId returned : membership.TakeReturned()) {
    exchange.Hasten(returned);
    handoff.Wake(step);
  }
  if (membership.generation_to_exceed() >= context.generation && next_generation == 0) {
    if (!store_created) {
      step.Note(Note::Level::kWarning,
                "others know a later start of this node: its disk is an older copy; new "
                "incarnations in every partition");
      minter.RetireAll(step);
      context.stand_in_epochs.ForgetAll();
    }
    RaiseGeneration(step, membership.generation_to_exceed());
  }
}

void Node::State::OnClient(StepContext& step, ClientRequest&& request) {
  ClientReply refusal;
  refusal.client = request.client;
  refusal.outcome = Outcome::kOk;
  const absl::Status valid = CheckRequest(context, request);
  if (!valid.ok()) {
    refusal.outcome = Outcome::kInvalid;
    refusal.message = std::string(valid.message());
  } else if (!serving()) {
    refusal.outcome = Outcome::kOverloaded;
    refusal.message = context.status.draining
                          ? "the node is shutting down: use another node"
                          : "the node is starting: try again in a moment, or use another node";
  } else if (in_flight() >= context.options.requests_in_flight_max) {
    refusal.outcome = Outcome::kOverloaded;
    refusal.message = absl::StrCat("too many requests in flight (requests_in_flight_max is ",
                                   context.options.requests_in_flight_max, "): try again later");
  } else if (store_unanswered >= StoreRequestsMax()) {
    refusal.outcome = Outcome::kOverloaded;
    refusal.message =
        absl::StrCat("the store of node ", context.self(), " is behind by ", store_unanswered,
                     " requests (see its disk): try again later, or another node");
  }
  if (refusal.outcome != Outcome::kOk) {
    ++context.status.refused;
    step.out.replies.push_back(std::move(refusal));
    return;
  }
  const int64_t limit_us = context.options.request_timeout_us;
  const int64_t timeout_us =
      request.timeout_us <= 0 ? limit_us : std::min(request.timeout_us, limit_us);
  const int64_t deadline_us = step.now.monotonic_us + timeout_us;
  if (request.kind == ClientRequest::Kind::kGet) {
    ++context.status.gets;
    gets.Begin(step, std::move(request), deadline_us);
    return;
  }
  ++(request.kind == ClientRequest::Kind::kPut ? context.status.puts : context.status.deletes);
  DecideExpiry(context, step.now.wall_us, &request);
  const NodeId minting = PickMinter(context, membership, request);
  if (minting == context.self()) {
    const WriteOrigin origin{kNoNode, 0, request.client};
    puts.Begin(step, std::move(request), origin, deadline_us);
  } else {
    forwards.Begin(step, std::move(request), minting, deadline_us);
  }
}

void Node::State::OnStoreReply(StepContext& step, StoreReply&& reply) {
  if (reply.forgotten != 0) minter.Retire(step, reply.partition, reply.forgotten);
  const uint64_t id = TicketIdOf(reply.ticket);
  if (reply.status.ok() && reply.change.has_value()) {
    context.last_sequence = std::max(context.last_sequence, reply.change->sequence);
    forest.OnChange(step, *reply.change);
  }
  switch (TicketKindOf(reply.ticket)) {
    case TicketKind::kNone:
      return;
    case TicketKind::kIdentity:
      OnIdentityStored(step, reply);
      return;
    case TicketKind::kLease:
      if (minter.OnStoreReply(step, reply)) {
        puts.MintWaiting(step);
        MaybeServe(step);
      }
      return;
    case TicketKind::kPut:
      puts.OnStoreReply(step, id, std::move(reply));
      return;
    case TicketKind::kGetRead:
      gets.OnStoreRead(step, id, std::move(reply));
      return;
    case TicketKind::kGetRepair:
      gets.OnStoreRepair(step, id, reply);
      return;
    case TicketKind::kReplicaWrite:
      replica.OnStoreWrite(step, id, reply);
      return;
    case TicketKind::kReplicaRead:
      replica.OnStoreRead(step, id, std::move(reply));
      return;
    case TicketKind::kExchange:
      exchange.OnStoreReply(step, id, std::move(reply));
      return;
    case TicketKind::kStanding:
      standing.OnStoreReply(step, reply);
      return;
    case TicketKind::kHint:
      OnHintReply(step, hints.OnStoreReply(step, id, std::move(reply)));
      return;
    case TicketKind::kHandoff:
      handoff.OnStoreReply(step, id, std::move(reply));
      return;
    case TicketKind::kExchangeServe:
      exchange_server.OnStoreReply(step, id, reply);
      return;
    case TicketKind::kTombstones:
      collector.OnStoreReply(step, id, std::move(reply));
      return;
    case TicketKind::kTombstoneVote:
      voter.OnStoreReply(step, id, reply);
      return;
    case TicketKind::kDiscard:
      if (const auto done = discarder.OnStoreReply(step, id, std::move(reply)); done.has_value()) {
        standing.OnDiscarded(step, *done);
      }
      return;
    case TicketKind::kTree:
      forest.OnStoreReply(step, id, std::move(reply));
      return;
    case TicketKind::kDamage:
      damage.OnStoreReply(step, id, std::move(reply));
      return;
  }
  CORE_CHECK(false);
}

void Node::State::OnHintReply(StepContext& step, HintMachine::Answered&& answered) {
  switch (answered.kind) {
    case HintMachine::Answered::Kind::kNothing:
      return;
    case HintMachine::Answered::Kind::kPut:
      puts.OnStoreReply(step, answered.id, std::move(answered.reply));
      return;
    case HintMachine::Answered::Kind::kGet:
      gets.OnHintRead(step, answered.id, answered.epoch, std::move(answered.reply));
      return;
  }
  CORE_CHECK(false);
}

void Node::State::OnTimer(StepContext& step) {
  if (step.now.monotonic_us >= identity_retry_us) {
    identity_retry_us = kNever;
    RaiseGeneration(step, next_generation - 1);
  }
  minter.OnTimer(step);
  puts.OnTimer(step);
  gets.OnTimer(step);
  forwards.OnTimer(step);
  membership.OnTimer(step);
  exchange.OnTimer(step);
  standing.OnTimer(step);
  if (!forest.closing()) {
    hints.OnTimer(step);
    handoff.OnTimer(step);
    collector.OnTimer(step);
    discarder.OnTimer(step);
    damage.OnTimer(step);
  }
  forest.OnTimer(step, /*store_idle=*/store_unanswered == 0);
}

// What one machine learned and another has to act on.
void Node::State::PassOn(StepContext& step) {
  for (const PartitionId partition : minter.TakeRetired()) {
    standing.OnNewIncarnation(step, partition);
  }
  standing.Pump(step);
  attestor.Pump(step);
  damage.Pump(step);
  collector.Pump(step);
  PartitionId doubtful = 0;
  while (standing.TakeDiscard(&doubtful)) discarder.Begin(step, doubtful);
  if (context.epochs.TakeCleared()) puts.MintWaiting(step);
  handoff.LookLater(step);
  if (!owed.dirty()) return;
  for (const auto& [partition, owner] : owed.TakeDirty()) exchange.MarkDirty(partition, owner);
}

// A drained node saves its trees before it goes: the next start need not read everything. For
// the few milliseconds that this takes it is deaf, as if messages were lost, or the
// trees would be out of date before they are saved.
void Node::State::MaybeClose(StepContext& step) {
  if (!context.status.draining || !idle()) return;
  if (store_unanswered == 0 && step.out.store.empty()) forest.SaveForGood(step);
}

void Node::State::CountReplies(const Effects& out) {
  for (const ClientReply& reply : out.replies) {
    switch (reply.outcome) {
      case Outcome::kNotApplied:
        ++context.status.failed_not_applied;
        break;
      case Outcome::kUnknown:
        ++context.status.failed_unknown;
        break;
      case Outcome::kUnavailable:
        ++context.status.failed_unavailable;
        break;
      case Outcome::kOk:
      case Outcome::kInvalid:
      case Outcome::kOverloaded:
        break;
    }
  }
}

Node::Node(const ClusterConfig& cluster, const NodeOptions& options) {
  CORE_CHECK(Validate(cluster, options).ok());
  state_ = std::make_unique<State>(cluster, options);
}

Node::~Node() = default;

void Node::Step(const Now& now, Event&& event, Effects& out) {
  StepContext step{now, out};
  struct Visitor {
    State& s;
    StepContext& step;
    void operator()(Start&& e) { s.OnStart(step, e); }
    void operator()(MessageReceived&& e) { s.OnMessage(step, e.from, std::move(e.message)); }
    void operator()(ClientRequest&& e) { s.OnClient(step, std::move(e)); }
    void operator()(StoreReply&& e) {
      CORE_CHECK(s.store_unanswered > 0);
      --s.store_unanswered;
      s.OnStoreReply(step, std::move(e));
    }
    void operator()(TimerFired&&) { s.OnTimer(step); }
    void operator()(Drain&&) { s.context.status.draining = true; }
  };
  CORE_CHECK(state_->start_seen || std::holds_alternative<Start>(event));
  std::visit(Visitor{*state_, step}, std::move(event));
  state_->PassOn(step);
  state_->MaybeClose(step);
  state_->store_unanswered += out.store.size();
  state_->CountReplies(out);
}

int64_t Node::NextDeadline() const {
  const State& s = *state_;
  return std::min({s.minter.NextDeadline(), s.puts.NextDeadline(), s.gets.NextDeadline(),
                   s.forwards.NextDeadline(), s.membership.NextDeadline(),
                   s.exchange.NextDeadline(), s.forest.NextDeadline(), s.standing.NextDeadline(),
                   s.hints.NextDeadline(), s.handoff.NextDeadline(), s.collector.NextDeadline(),
                   s.discarder.NextDeadline(), s.damage.NextDeadline(), s.identity_retry_us});
}

bool Node::drained() const {
  return state_->context.status.draining && state_->idle() && state_->forest.saved_for_good();
}

NodeStatus Node::Status() const {
  NodeStatus status = state_->context.status;
  status.requests_in_flight = state_->in_flight();
  status.replica_work_waiting = state_->replica.waiting();
  status.partitions_held = state_->standing.held();
  status.partitions_complete = state_->standing.complete();
  status.partitions_unheard = state_->context.stand_in_epochs.unknown();
  status.members = state_->membership.Describe();
  const HintIndex& hints = state_->hints.index();
  status.hints_held = hints.count();
  status.hint_bytes = hints.bytes();
  status.hints_oldest_wall_us = hints.Oldest();
  status.owed_held = state_->owed.index().count();
  return status;
}

}  // namespace norn
