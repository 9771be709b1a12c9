// Names of messages, events and outcomes, for traces, logs and error texts.

#include "core/client.h"
#include "core/events.h"
#include "core/messages.h"
#include "core/node.h"

namespace norn {

namespace {

struct MessageNamer {
  const char* operator()(const Gossip&) const { return "Gossip"; }
  const char* operator()(const ReplicaWrite&) const { return "ReplicaWrite"; }
  const char* operator()(const ReplicaWriteReply&) const { return "ReplicaWriteReply"; }
  const char* operator()(const ReplicaRead&) const { return "ReplicaRead"; }
  const char* operator()(const ReplicaReadReply&) const { return "ReplicaReadReply"; }
  const char* operator()(const Forward&) const { return "Forward"; }
  const char* operator()(const ForwardReply&) const { return "ForwardReply"; }
  const char* operator()(const ExchangeOffer&) const { return "ExchangeOffer"; }
  const char* operator()(const ExchangeAnswer&) const { return "ExchangeAnswer"; }
  const char* operator()(const ExchangeRecords&) const { return "ExchangeRecords"; }
  const char* operator()(const Introduction&) const { return "Introduction"; }
  const char* operator()(const IntroductionAnswer&) const { return "IntroductionAnswer"; }
  const char* operator()(const TreeCompare&) const { return "TreeCompare"; }
  const char* operator()(const TreeAnswer&) const { return "TreeAnswer"; }
  const char* operator()(const TombstoneOffer&) const { return "TombstoneOffer"; }
  const char* operator()(const TombstoneAnswer&) const { return "TombstoneAnswer"; }
  const char* operator()(const EpochRaise&) const { return "EpochRaise"; }
  const char* operator()(const EpochAnswer&) const { return "EpochAnswer"; }
  const char* operator()(const TombstoneRemoval&) const { return "TombstoneRemoval"; }
  const char* operator()(const HintAttest&) const { return "HintAttest"; }
  const char* operator()(const HintAttestation&) const { return "HintAttestation"; }
};

struct EventNamer {
  const char* operator()(const Start&) const { return "Start"; }
  const char* operator()(const MessageReceived& e) const { return MessageName(e.message); }
  const char* operator()(const ClientRequest&) const { return "ClientRequest"; }
  const char* operator()(const StoreReply&) const { return "StoreReply"; }
  const char* operator()(const TimerFired&) const { return "TimerFired"; }
  const char* operator()(const Drain&) const { return "Drain"; }
};

}  // namespace

const char* MessageName(const Message& message) { return std::visit(MessageNamer{}, message); }

const char* EventName(const Event& event) { return std::visit(EventNamer{}, event); }

const char* OutcomeName(ClientReply::Outcome outcome) {
  switch (outcome) {
    case ClientReply::Outcome::kOk:
      return "ok";
    case ClientReply::Outcome::kInvalid:
      return "invalid";
    case ClientReply::Outcome::kOverloaded:
      return "overloaded";
    case ClientReply::Outcome::kNotApplied:
      return "not applied";
    case ClientReply::Outcome::kUnknown:
      return "unknown";
    case ClientReply::Outcome::kUnavailable:
      return "unavailable";
  }
  return "?";
}

const char* LivenessName(Liveness liveness) {
  switch (liveness) {
    case Liveness::kAlive:
      return "alive";
    case Liveness::kSuspect:
      return "suspect";
    case Liveness::kDown:
      return "down";
  }
  return "?";
}

const char* LevelName(Level level) {
  switch (level) {
    case Level::kNumber:
      return "number";
    case Level::kOne:
      return "one";
    case Level::kQuorum:
      return "quorum";
    case Level::kAll:
      return "all";
    case Level::kLocalQuorum:
      return "local_quorum";
    case Level::kEachQuorum:
      return "each_quorum";
  }
  return "?";
}

}  // namespace norn
