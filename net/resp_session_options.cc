// The options of commands: SET's, and those of KV.GET, KV.PUT and KV.DEL.

#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "net/resp_integer.h"
#include "net/resp_session.h"

namespace norn::net {
namespace {

using Kind = ClientRequest::Kind;
using Base = ClientRequest::Base;

constexpr int64_t kQuorumMax = 65535;  // the node knows the bucket's N, and refuses more
constexpr int64_t kTimeoutMsMax = 1'000'000'000;
constexpr int64_t kMicrosPerMilli = 1000;
constexpr int64_t kMicrosPerSecond = 1'000'000;

// Why SET refuses one of Redis's options; empty if Redis does not know it either.
std::string SetOptionRefusal(absl::string_view option) {
  const std::string name = absl::AsciiStrToUpper(option);
  if (name == "NX" || name == "XX" || name == "GET" || name == "KEEPTTL") {
    return absl::StrCat("ERR SET option ", name,
                        " cannot be atomic in an eventually consistent bucket; read with KV.GET, "
                        "then write with KV.PUT ... CONTEXT");
  }
  return std::string();
}

// "quorum" and so on; false if the text is no level's name.
bool ReadLevel(absl::string_view text, Level* level) {
  for (const Level known :
       {Level::kOne, Level::kQuorum, Level::kAll, Level::kLocalQuorum, Level::kEachQuorum}) {
    if (!absl::EqualsIgnoreCase(text, LevelName(known))) continue;
    *level = known;
    return true;
  }
  return false;
}

bool ReadNumber(absl::string_view text, int64_t most, int64_t* number) {
  return ParseRespInteger(text, number) && *number >= 1 && *number <= most;
}

std::string RangeError(absl::string_view name, int64_t most, absl::string_view or_else = "") {
  return absl::StrCat("ERR ", absl::AsciiStrToUpper(name), " must be a whole number from 1 to ",
                      most, or_else);
}

}  // namespace

bool RespSession::ReadExpiry(absl::string_view command, absl::string_view unit,
                             absl::string_view number, ClientRequest* request) {
  const bool seconds = absl::EqualsIgnoreCase(unit, "EX") || absl::EqualsIgnoreCase(unit, "EXAT");
  const bool moment = absl::EqualsIgnoreCase(unit, "EXAT") || absl::EqualsIgnoreCase(unit, "PXAT");
  const int64_t scale = seconds ? kMicrosPerSecond : kMicrosPerMilli;
  int64_t value = 0;
  if (!ParseRespInteger(number, &value)) {
    return !Error("ERR value is not an integer or out of range");
  }
  if (value < 1 || value > (moment ? INT64_MAX : kTtlUsMax) / scale) {
    return !Error(absl::StrCat("ERR invalid expire time in '", command, "' command"));
  }
  (moment ? request->expires_us : request->ttl_us) = value * scale;
  return true;
}

bool RespSession::ReadSetOptions(Arguments options, ClientRequest* request) {
  if (options.empty()) return true;
  const std::string name = absl::AsciiStrToUpper(options[0]);
  if (name == "EX" || name == "PX" || name == "EXAT" || name == "PXAT") {
    if (options.size() == 2) return ReadExpiry("set", options[0], options[1], request);
    const std::string refusal = options.size() > 2 ? SetOptionRefusal(options[2]) : std::string();
    return !Error(refusal.empty() ? "ERR syntax error" : refusal);
  }
  const std::string refusal = SetOptionRefusal(options[0]);
  return !Error(refusal.empty() ? "ERR syntax error" : refusal);
}

bool RespSession::ReadOption(absl::string_view name, absl::string_view value,
                             ClientRequest* request, bool* known) {
  const bool reads = request->kind == Kind::kGet;
  const auto is = [name](absl::string_view option) { return absl::EqualsIgnoreCase(name, option); };
  int64_t number = 0;
  *known = true;
  if (!reads && is("CONTEXT")) {
    request->base = Base::kToken;
    if (request->kind == Kind::kPut && absl::EqualsIgnoreCase(value, "NONE")) {
      request->base = Base::kNothing;
    } else if (value.empty() || !absl::WebSafeBase64Unescape(value, &request->context)) {
      return !Error("ERR the CONTEXT is not one that KV.GET, KV.PUT or KV.DEL returned");
    }
  } else if (is(reads ? "R" : "W")) {
    if (ReadLevel(value, &request->level)) return true;
    if (!ReadNumber(value, kQuorumMax, &number)) {
      return !Error(RangeError(name, kQuorumMax,
                               ", or a level: one, quorum, all, local_quorum or each_quorum"));
    }
    request->quorum = static_cast<int>(number);
  } else if (is(reads ? "PR" : "PW")) {
    if (!ReadNumber(value, kQuorumMax, &number)) return !Error(RangeError(name, kQuorumMax));
    request->primary = static_cast<int>(number);
  } else if (is("TIMEOUT")) {
    if (!ReadNumber(value, kTimeoutMsMax, &number)) return !Error(RangeError(name, kTimeoutMsMax));
    request->timeout_us = number * kMicrosPerMilli;
  } else if (request->kind == Kind::kPut && is("TTL")) {
    constexpr int64_t kMost = kTtlUsMax / kMicrosPerMilli;
    request->ttl_us = kTtlNever;
    if (absl::EqualsIgnoreCase(value, "NONE")) return true;
    if (!ReadNumber(value, kMost, &number)) return !Error(RangeError(name, kMost, ", or NONE"));
    request->ttl_us = number * kMicrosPerMilli;
  } else if (is("BUCKET")) {
    const RespBucket* const bucket = FindRespBucket(services_.buckets, value);
    if (bucket == nullptr) return !Error(absl::StrCat("ERR ", NoSuchBucket(value)));
    request->bucket = bucket->id;
  } else {
    *known = false;
  }
  return true;
}

bool RespSession::ReadOptions(absl::string_view command, Arguments options,
                              ClientRequest* request) {
  for (size_t i = 0; i < options.size(); i += 2) {
    bool known = false;
    if (i + 1 < options.size() && !ReadOption(options[i], options[i + 1], request, &known)) {
      return false;
    }
    if (known) continue;
    const char* const takes = request->kind == Kind::kGet ? "R n|level, PR n"
                              : request->kind == Kind::kPut
                                  ? "CONTEXT token|NONE, TTL ms|NONE, W n|level, PW n"
                                  : "CONTEXT token, W n|level, PW n";
    return !Error(absl::StrCat("ERR syntax error at '", options[i].substr(0, kRespEchoBytesMax),
                               "': ", command, " takes ", takes, ", BUCKET name and TIMEOUT ms"));
  }
  return true;
}

}  // namespace norn::net
