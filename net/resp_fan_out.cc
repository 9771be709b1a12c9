#include "net/resp_fan_out.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn::net {
namespace {

using Outcome = ClientReply::Outcome;

struct OutcomeText {
  const char* prefix;
  const char* fallback;  // when the node gives no message
};

OutcomeText TextOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
    case Outcome::kInvalid:
      return {"ERR", "the node refused the request"};
    case Outcome::kOverloaded:
      return {"TRYAGAIN", "the node is overloaded; nothing was done"};
    case Outcome::kNotApplied:
      return {"NOTAPPLIED", "the write was not applied and will not be"};
    case Outcome::kUnknown:
      return {"UNKNOWN", "the write may or may not take effect, now or later"};
    case Outcome::kUnavailable:
      return {"UNAVAILABLE", "not enough replicas answered in time"};
  }
  return {"ERR", "unknown outcome"};
}

// Keys are arbitrary bytes of up to 16 KiB; an error line is for people.
std::string KeyForPeople(absl::string_view key) {
  constexpr size_t kShown = 64;
  const bool cut = key.size() > kShown;
  return absl::StrCat("'", absl::CHexEscape(key.substr(0, kShown)), cut ? "...'" : "'");
}

}  // namespace

std::string RespErrorText(Outcome outcome, absl::string_view message) {
  const OutcomeText text = TextOf(outcome);
  return absl::StrCat(text.prefix, " ", message.empty() ? text.fallback : message);
}

std::string SeveralValues(size_t values) {
  return absl::StrCat("the key has ", values,
                      " concurrent values: read them with KV.GET, and write the resolved one with "
                      "KV.PUT ... CONTEXT");
}

RespFanOut::Next RespFanOut::Take(size_t index, ClientReply&& reply) {
  if (index >= parts_.size() || parts_[index].phase == Phase::kAnswered) return Next::kIgnore;
  if (kind_ == Kind::kMget && siblings_are_errors_ && reply.siblings.size() > 1) {
    reply.outcome = Outcome::kInvalid;
    reply.message = SeveralValues(reply.siblings.size());
  }
  Part& part = parts_[index];
  const bool writes = kind_ == Kind::kMset || part.phase == Phase::kDelete;

  if (reply.outcome != Outcome::kOk) {
    if (writes && reply.outcome == Outcome::kUnknown) wrote_ = true;
    if (failures_++ == 0 || index < failed_part_) {
      failed_part_ = index;
      failure_ = reply.outcome;
      failure_message_ = std::move(reply.message);
    }
  } else if (writes) {
    wrote_ = true;
    ++found_;
  } else if (!reply.siblings.empty()) {
    if (kind_ == Kind::kDel) {
      part.phase = Phase::kDelete;
      return Next::kDelete;
    }
    part.found = true;
    ++found_;
    if (kind_ == Kind::kMget) part.value = std::move(reply.siblings[0].value);
  }
  part.phase = Phase::kAnswered;
  return --waiting_ == 0 ? Next::kDone : Next::kWait;
}

void RespFanOut::WriteFailure(RespWriter& writer) const {
  const Outcome outcome = wrote_ ? Outcome::kUnknown : failure_;
  const std::string cause = failure_message_.empty() ? TextOf(failure_).fallback : failure_message_;
  std::string message = cause;
  if (parts_.size() > 1) {
    message = absl::StrCat("key ", KeyForPeople(parts_[failed_part_].key), ": ", cause);
    if (failures_ > 1) absl::StrAppend(&message, " (and ", failures_ - 1, " more keys failed)");
    if (wrote_ && kind_ == Kind::kMset) {
      absl::StrAppend(&message, "; MSET is not atomic: other keys may be set");
    } else if (wrote_) {
      absl::StrAppend(&message, "; DEL is not atomic: other keys may be deleted");
    }
  }
  writer.Error(RespErrorText(outcome, message));
}

void RespFanOut::Write(RespWriter& writer) const {
  CORE_CHECK(waiting_ == 0);
  if (failures_ > 0) return WriteFailure(writer);
  switch (kind_) {
    case Kind::kMset:
      return writer.Simple("OK");
    case Kind::kExists:
    case Kind::kDel:
      return writer.Integer(static_cast<int64_t>(found_));
    case Kind::kMget:
      writer.Array(parts_.size());
      for (const Part& part : parts_) {
        if (part.found) {
          writer.Bulk(part.value);
        } else {
          writer.Null();
        }
      }
  }
}

}  // namespace norn::net
