// Commands that read and write keys.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "net/resp_session.h"

namespace norn::net {
namespace {

using Kind = ClientRequest::Kind;
using Base = ClientRequest::Base;
using Id = RespCommandId;

uint64_t KeyHash(absl::string_view key) { return absl::Hash<absl::string_view>()(key); }

// What a command on many keys asks for each of them.
struct FanOutPlan {
  RespFanOut::Kind kind;
  KeyAccess access;
  Kind first;     // the request for each key; DEL follows it up
  size_t step;    // arguments per key
  bool distinct;  // a key counts once however often it is named
};

FanOutPlan PlanOf(Id id) {
  switch (id) {
    case Id::kMset:
      return {RespFanOut::Kind::kMset, KeyAccess::kWrite, Kind::kPut, 2, true};
    case Id::kDel:
      return {RespFanOut::Kind::kDel, KeyAccess::kExclusive, Kind::kGet, 1, true};
    case Id::kExists:
      return {RespFanOut::Kind::kExists, KeyAccess::kRead, Kind::kGet, 1, false};
    default:
      return {RespFanOut::Kind::kMget, KeyAccess::kRead, Kind::kGet, 1, false};
  }
}

// Where in `arguments` the keys are that get a request. Of a key that MSET names twice the
// last value wins; two requests for one key at a time would leave that to luck.
std::vector<size_t> ChooseKeys(const FanOutPlan& plan,
                               absl::Span<const absl::string_view> arguments) {
  std::vector<size_t> chosen;
  chosen.reserve(arguments.size() / plan.step);
  absl::flat_hash_map<absl::string_view, size_t> places;
  for (size_t i = 0; i < arguments.size(); i += plan.step) {
    if (plan.distinct && arguments.size() > plan.step) {
      const auto [place, is_new] = places.try_emplace(arguments[i], chosen.size());
      if (!is_new) {
        chosen[place->second] = i;
        continue;
      }
    }
    chosen.push_back(i);
  }
  return chosen;
}

constexpr int64_t kMicrosPerMilli = 1000;
constexpr int64_t kMicrosPerSecond = 1'000'000;

// What TTL and PTTL answer: -2 no value, -1 it does not expire, else what the winner has left,
// rounded up: 0 would say that it is gone.
int64_t TtlOf(const ClientReply& reply, int64_t unit_us) {
  if (reply.siblings.empty()) return -2;
  const int64_t ttl_us = reply.siblings[0].ttl_us;
  return ttl_us == 0 ? -1 : (ttl_us + unit_us - 1) / unit_us;
}

void WriteContext(absl::string_view context, RespWriter& writer) {
  if (context.empty()) return writer.Null();
  writer.Bulk(absl::WebSafeBase64Escape(context));
}

}  // namespace

ClientRequest RespSession::NewRequest(Kind kind, absl::string_view key) const {
  ClientRequest request;
  request.kind = kind;
  request.bucket = bucket_;
  request.key.assign(key.data(), key.size());
  request.context_wanted = false;
  return request;
}

void RespSession::Submit(uint16_t serial, uint16_t part, ClientRequest&& request) {
  request.client = ticket_ | (uint64_t{serial} << 16) | part;
  ++requests_;
  services_.submit(std::move(request));
}

bool RespSession::Start(ReplyForm form, KeyAccess access, ClientRequest&& request) {
  const uint64_t hash = KeyHash(request.key);
  if (!pipeline_.MayStart(access, hash)) return false;
  Submit(pipeline_.Add(form, protocol_, access, hash), 0, std::move(request));
  return true;
}

bool RespSession::Get(absl::string_view key) {
  const ReplyForm form = SiblingsAreErrors() ? ReplyForm::kOnlyValue : ReplyForm::kValue;
  return Start(form, KeyAccess::kRead, NewRequest(Kind::kGet, key));
}

bool RespSession::TimeToLive(ReplyForm form, absl::string_view key) {
  return Start(form, KeyAccess::kRead, NewRequest(Kind::kGet, key));
}

bool RespSession::SiblingsAreErrors() const {
  for (const RespBucket& bucket : services_.buckets) {
    if (bucket.id == bucket_) return bucket.siblings_are_errors;
  }
  return false;
}

bool RespSession::Set(Arguments arguments) {
  ClientRequest request = NewRequest(Kind::kPut, arguments[1]);
  if (!ReadSetOptions(arguments.subspan(3), &request)) return true;
  request.value.assign(arguments[2].data(), arguments[2].size());
  return Start(ReplyForm::kOk, KeyAccess::kWrite, std::move(request));
}

bool RespSession::SetEx(absl::string_view unit, Arguments arguments) {
  ClientRequest request = NewRequest(Kind::kPut, arguments[1]);
  const char* const name = unit == "EX" ? "setex" : "psetex";
  if (!ReadExpiry(name, unit, arguments[2], &request)) return true;
  request.value.assign(arguments[3].data(), arguments[3].size());
  return Start(ReplyForm::kOk, KeyAccess::kWrite, std::move(request));
}

bool RespSession::FanOut(Id id, Arguments arguments) {
  const FanOutPlan plan = PlanOf(id);
  if (arguments.size() % plan.step != 0) {
    WrongArity("mset");
    return true;
  }
  const size_t keys = arguments.size() / plan.step;
  if (keys > services_.limits.keys_per_command_max) {
    return Error(absl::StrCat("ERR ", keys, " keys in one command; at most ",
                              services_.limits.keys_per_command_max,
                              " are taken: split it and pipeline the parts"));
  }
  const uint64_t hash = keys == 1 ? KeyHash(arguments[0]) : RespPipeline::kEveryKey;
  if (!pipeline_.MayStart(plan.access, hash)) return false;

  const std::vector<size_t> chosen = ChooseKeys(plan, arguments);
  auto fan_out =
      std::make_unique<RespFanOut>(plan.kind, bucket_, SiblingsAreErrors(), chosen.size());
  for (const size_t i : chosen) fan_out->Add(arguments[i]);
  const uint16_t serial = pipeline_.Add(ReplyForm::kFanOut, protocol_, plan.access, hash);
  pipeline_.Find(serial)->fan_out = std::move(fan_out);
  // The reply to the last part may come from inside Submit(): the entry is not used below.
  for (size_t part = 0; part < chosen.size(); ++part) {
    const size_t i = chosen[part];
    ClientRequest request = NewRequest(plan.first, arguments[i]);
    if (plan.step == 2) request.value.assign(arguments[i + 1].data(), arguments[i + 1].size());
    Submit(serial, static_cast<uint16_t>(part), std::move(request));
  }
  return true;
}

bool RespSession::KvGet(Arguments arguments) {
  ClientRequest request = NewRequest(Kind::kGet, arguments[1]);
  request.context_wanted = true;
  if (!ReadOptions("KV.GET", arguments.subspan(2), &request)) return true;
  return Start(ReplyForm::kVersions, KeyAccess::kRead, std::move(request));
}

bool RespSession::KvPut(Arguments arguments) {
  ClientRequest request = NewRequest(Kind::kPut, arguments[1]);
  request.value.assign(arguments[2].data(), arguments[2].size());
  request.context_wanted = true;
  if (!ReadOptions("KV.PUT", arguments.subspan(3), &request)) return true;
  return Start(ReplyForm::kWritten, KeyAccess::kWrite, std::move(request));
}

bool RespSession::KvDel(Arguments arguments) {
  ClientRequest request = NewRequest(Kind::kDelete, arguments[1]);
  request.context_wanted = true;
  if (!ReadOptions("KV.DEL", arguments.subspan(2), &request)) return true;
  return Start(ReplyForm::kWritten, KeyAccess::kWrite, std::move(request));
}

void RespSession::WriteReply(ReplyForm form, const ClientReply& reply, RespWriter& writer) {
  if (reply.outcome != ClientReply::Outcome::kOk) {
    return writer.Error(RespErrorText(reply.outcome, reply.message));
  }
  switch (form) {
    case ReplyForm::kOnlyValue:
      if (reply.siblings.size() > 1) {
        return writer.Error(absl::StrCat("ERR ", SeveralValues(reply.siblings.size())));
      }
      [[fallthrough]];
    case ReplyForm::kValue:
      if (reply.siblings.empty()) return writer.Null();
      return writer.Bulk(reply.siblings[0].value);
    case ReplyForm::kOk:
      return writer.Simple("OK");
    case ReplyForm::kSeconds:
      return writer.Integer(TtlOf(reply, kMicrosPerSecond));
    case ReplyForm::kMilliseconds:
      return writer.Integer(TtlOf(reply, kMicrosPerMilli));
    case ReplyForm::kVersions:
    case ReplyForm::kWritten:
      break;
    case ReplyForm::kFanOut:
      return;
  }
  const bool is_map = writer.protocol() >= 3;
  const bool is_read = form == ReplyForm::kVersions;
  // Only where stand-ins were needed: in a sloppy bucket.
  const bool with_hints = reply.hints > 0;
  const int elements = (is_read ? 5 : 4) + (with_hints ? 1 : 0);
  if (is_map) {
    writer.Map(elements);
    writer.Bulk("context");
  } else {
    writer.Array(elements);
  }
  WriteContext(reply.context, writer);
  if (is_read) {
    if (is_map) writer.Bulk("values");
    writer.Array(reply.siblings.size());
    for (const Sibling& sibling : reply.siblings) writer.Bulk(sibling.value);
  }
  if (is_map) writer.Bulk("replicas");
  writer.Integer(reply.replicas);
  if (is_map) writer.Bulk("zones");
  writer.Integer(reply.zones);
  if (is_map) writer.Bulk("durable");
  writer.Integer(reply.durable);
  if (!with_hints) return;
  if (is_map) writer.Bulk("hints");
  writer.Integer(reply.hints);
}

void RespSession::OnReply(ClientReply&& reply) {
  const RespTicket ticket = UnpackTicket(reply.client);
  PendingCommand* command = pipeline_.Find(ticket.serial);
  if (command == nullptr) return;
  if (command->form == ReplyForm::kFanOut) {
    RespFanOut& fan_out = *command->fan_out;
    const RespFanOut::Next next = fan_out.Take(ticket.part, std::move(reply));
    if (next == RespFanOut::Next::kIgnore) return;
    --requests_;
    if (next == RespFanOut::Next::kDelete) {
      ClientRequest request = NewRequest(Kind::kDelete, fan_out.key(ticket.part));
      request.bucket = fan_out.bucket();  // SELECT may have come since
      Submit(ticket.serial, ticket.part, std::move(request));
    }
    if (next != RespFanOut::Next::kDone) return;
    RespWriter writer(command->protocol, pipeline_.ReplyOf(ticket.serial));
    fan_out.Write(writer);
  } else {
    --requests_;
    RespWriter writer(command->protocol, pipeline_.ReplyOf(ticket.serial));
    WriteReply(command->form, reply, writer);
  }
  pipeline_.Complete(ticket.serial);
}

}  // namespace norn::net
