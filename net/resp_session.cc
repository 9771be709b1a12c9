#include "net/resp_session.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace norn::net {
namespace {

using Id = RespCommandId;

}  // namespace

RespSession::RespSession(const RespServices& services, uint64_t id, const RespTicket& ticket,
                         std::string address)
    : services_(services),
      id_(id),
      ticket_(PackTicket(RespTicket{ticket.slot, ticket.generation, 0, 0})),
      address_(std::move(address)),
      pipeline_(services.limits.commands_max) {}

bool RespSession::Error(absl::string_view text) {
  Immediate().Error(text);
  return true;
}

void RespSession::Refuse(absl::string_view protocol_error) {
  if (ended_) return;
  Error(absl::StrCat("ERR ", protocol_error));
  ended_ = true;
}

bool RespSession::Execute(Arguments arguments) {
  const RespCommandSpec* spec = FindRespCommand(arguments[0]);
  if (spec == nullptr) {
    ++commands_;
    return Unknown(arguments);
  }
  if (!Run(*spec, arguments)) return false;
  ++commands_;
  last_command_ = spec;
  return true;
}

bool RespSession::Run(const RespCommandSpec& spec, Arguments arguments) {
  if (spec.refused()) return RefuseCommand(spec);
  if (!spec.TakesArguments(arguments.size())) {
    WrongArity(spec.name);
    return true;
  }
  if (in_refused_transaction_ && spec.id != Id::kQuit && spec.id != Id::kReset) {
    return Error("ERR not executed: the MULTI before it was refused; send DISCARD to go on");
  }
  switch (spec.id) {
    case Id::kGet:
      return Get(arguments[1]);
    case Id::kSet:
      return Set(arguments);
    case Id::kSetEx:
      return SetEx("EX", arguments);
    case Id::kPsetEx:
      return SetEx("PX", arguments);
    case Id::kTtl:
      return TimeToLive(ReplyForm::kSeconds, arguments[1]);
    case Id::kPttl:
      return TimeToLive(ReplyForm::kMilliseconds, arguments[1]);
    case Id::kDel:
    case Id::kExists:
    case Id::kMget:
    case Id::kMset:
      return FanOut(spec.id, arguments.subspan(1));
    case Id::kKvGet:
      return KvGet(arguments);
    case Id::kKvPut:
      return KvPut(arguments);
    case Id::kKvDel:
      return KvDel(arguments);
    case Id::kPing:
      Ping(arguments);
      return true;
    case Id::kEcho:
      Immediate().Bulk(arguments[1]);
      return true;
    case Id::kHello:
      Hello(arguments);
      return true;
    case Id::kAuth:
      return Error(
          "ERR AUTH <password> called without any password configured for the default user. Are "
          "you sure your configuration is correct?");
    case Id::kInfo:
      Info(arguments.subspan(1));
      return true;
    case Id::kClient:
      Client(arguments);
      return true;
    case Id::kCommand:
      Command(arguments);
      return true;
    case Id::kConfig:
      Config(arguments);
      return true;
    case Id::kSelect:
      Select(arguments[1]);
      return true;
    case Id::kReset:
      Reset();
      return true;
    case Id::kNornCheckpoint:
      return NornCheckpoint(arguments[1]);
    case Id::kQuit:
      Immediate().Simple("OK");
      ended_ = true;
      return true;
    default:
      return RefuseCommand(spec);
  }
}

bool RespSession::RefuseCommand(const RespCommandSpec& spec) {
  if (spec.id == Id::kEndTransaction && std::exchange(in_refused_transaction_, false)) {
    if (absl::string_view(spec.name) == "discard") {
      Immediate().Simple("OK");
      return true;
    }
    return Error("EXECABORT Transaction discarded because of previous errors.");
  }
  if (in_refused_transaction_) {
    return Error("ERR not executed: the MULTI before it was refused; send DISCARD to go on");
  }
  if (absl::string_view(spec.name) == "multi") in_refused_transaction_ = true;
  return Error(absl::StrCat("ERR '", spec.name, "' ", RefusalOf(spec.id)));
}

bool RespSession::Unknown(Arguments arguments) {
  // A browser that was tricked into sending an HTTP request to this port: what follows its
  // header lines could be commands.
  if (absl::EqualsIgnoreCase(arguments[0], "post") ||
      absl::EqualsIgnoreCase(arguments[0], "host:")) {
    Refuse("this is not an HTTP server; the connection is closed");
    return true;
  }
  std::string shown;
  for (size_t i = 1; i < arguments.size() && shown.size() < kRespEchoBytesMax; ++i) {
    absl::StrAppend(&shown, "'", arguments[i].substr(0, kRespEchoBytesMax - shown.size()), "' ");
  }
  return Error(absl::StrCat("ERR unknown command '", arguments[0].substr(0, kRespEchoBytesMax),
                            "', with args beginning with: ", shown));
}

void RespSession::WrongArity(absl::string_view command) {
  Error(absl::StrCat("ERR wrong number of arguments for '", command, "' command"));
}

void RespSession::UnknownSubcommand(absl::string_view command, absl::string_view subcommand) {
  Error(absl::StrCat("ERR unknown subcommand '", subcommand.substr(0, kRespEchoBytesMax), "'. Try ",
                     command, " HELP."));
}

std::string RespSession::Describe() const {
  return absl::StrCat("id=", id_, " addr=", address_, " name=", name_, " db=", bucket_,
                      " cmd=", last_command_ == nullptr ? "NULL" : last_command_->name,
                      " outstanding=", pipeline_.size(), " resp=", protocol_,
                      " lib-name=", library_name_, " lib-ver=", library_version_);
}

}  // namespace norn::net
