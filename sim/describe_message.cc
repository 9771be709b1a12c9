#include "sim/describe_message.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "core/causality/record.h"
#include "core/client.h"
#include "core/types.h"

namespace norn::sim {

namespace {

// The last digits tell the requests of a trace apart.
std::string Number(RequestId request) { return absl::StrFormat(" #%06x", request & 0xffffff); }

// Values carry padding behind their name.
absl::string_view NameOf(absl::string_view value) { return value.substr(0, value.find(' ')); }

std::string Values(absl::string_view bytes) {
  RecordView record;
  if (!RecordView::Parse(bytes, &record)) return "damaged";
  std::vector<absl::string_view> names;
  for (const VersionView& version : record.versions) {
    names.push_back(version.tombstone ? "deleted" : NameOf(version.value));
  }
  return absl::StrCat("{", absl::StrJoin(names, ", "), "}");
}

std::string Keys(const std::vector<KeyRecord>& records) {
  return absl::StrJoin(records, " ", [](std::string* out, const KeyRecord& record) {
    absl::StrAppend(out, ClientKeyOf(record.key), "=", Values(record.record));
  });
}

const char* StatusName(ReplicaStatus status) {
  switch (status) {
    case ReplicaStatus::kOk:
      return "ok";
    case ReplicaStatus::kError:
      return "error";
    case ReplicaStatus::kWrongLayout:
      return "wrong layout";
    case ReplicaStatus::kOverloaded:
      return "overloaded";
    case ReplicaStatus::kRefused:
      return "refused";
    case ReplicaStatus::kIncomplete:
      return "incomplete";
    case ReplicaStatus::kStale:
      return "stale";
  }
  return "?";
}

auto Complete(const IntroductionAnswer& answer) {
  return std::count_if(
      answer.standings.begin(), answer.standings.end(),
      [](const ReplicaStanding& standing) { return standing.level == StandingLevel::kComplete; });
}

std::string Instead(NodeId owner) {
  return owner == kNoNode ? std::string() : absl::StrCat(" in the stead of n", owner);
}

struct Describer {
  std::string operator()(const Gossip& m) const {
    return absl::StrCat(" of ", m.members.size(), " members, ", m.suspicions.size(), " suspicions");
  }
  std::string operator()(const ReplicaWrite& m) const {
    return absl::StrCat(Number(m.request), " ", ClientKeyOf(m.key), " = ", Values(m.record),
                        Instead(m.hint_for));
  }
  std::string operator()(const ReplicaWriteReply& m) const {
    return absl::StrCat(Number(m.request), " ", StatusName(m.status));
  }
  std::string operator()(const ReplicaRead& m) const {
    return absl::StrCat(Number(m.request), " ", ClientKeyOf(m.key), Instead(m.hint_for));
  }
  std::string operator()(const ReplicaReadReply& m) const {
    const bool digest = m.digest_high != 0 || m.digest_low != 0;
    return absl::StrCat(Number(m.request), " ", StatusName(m.status), " ",
                        digest ? std::string("as a digest") : Values(m.record));
  }
  std::string operator()(const Forward& m) const {
    static constexpr const char* kKinds[] = {"get", "put", "delete"};
    const ClientRequest& operation = m.operation;
    std::string text = absl::StrCat(Number(m.request), " ",
                                    kKinds[static_cast<int>(operation.kind)], " ", operation.key);
    if (operation.kind == ClientRequest::Kind::kPut) {
      absl::StrAppend(&text, " = ", NameOf(operation.value));
    }
    return absl::StrCat(text, " for generation ", m.receiver_generation);
  }
  std::string operator()(const ForwardReply& m) const {
    const bool ok = m.status == ReplicaStatus::kOk;
    return absl::StrCat(Number(m.request), " ",
                        ok ? OutcomeName(m.reply.outcome) : StatusName(m.status));
  }
  std::string operator()(const ExchangeOffer& m) const {
    return absl::StrCat(Number(m.request), " partition ", m.partition, ", ", m.digests.size(),
                        " keys");
  }
  std::string operator()(const ExchangeAnswer& m) const {
    return absl::StrCat(Number(m.request), " partition ", m.partition, " ", StatusName(m.status),
                        ", wants ", m.wanted.size(), m.records.empty() ? "" : ", has ",
                        Keys(m.records));
  }
  std::string operator()(const Introduction& m) const {
    return absl::StrCat(Number(m.request), " ", m.lives.size(), " lives");
  }
  std::string operator()(const IntroductionAnswer& m) const {
    return absl::StrCat(Number(m.request), " ", m.standings.size(), " partitions, ", Complete(m),
                        " complete");
  }
  std::string operator()(const ExchangeRecords& m) const {
    return absl::StrCat(" partition ", m.partition, " ", Keys(m.records));
  }
  std::string operator()(const TreeCompare& m) const {
    return absl::StrCat(Number(m.request), " ", m.sums.size(), " sums");
  }
  std::string operator()(const TreeAnswer& m) const {
    return absl::StrCat(Number(m.request), " ", StatusName(m.status), ", ", m.findings.size(),
                        " findings");
  }
  std::string operator()(const TombstoneOffer& m) const {
    return absl::StrCat(Number(m.request), " partition ", m.partition, ", ", m.entries.size(),
                        " keys");
  }
  std::string operator()(const TombstoneAnswer& m) const {
    return absl::StrCat(Number(m.request), " ", StatusName(m.status), " in epoch ", m.epoch, ", ",
                        m.others.size(), " differ");
  }
  std::string operator()(const EpochRaise& m) const {
    return absl::StrCat(Number(m.request), " partition ", m.partition, " to epoch ", m.epoch,
                        m.floor ? ", hints too" : "");
  }
  std::string operator()(const EpochAnswer& m) const {
    return absl::StrCat(Number(m.request), " ", StatusName(m.status));
  }
  std::string operator()(const HintAttest& m) const {
    return absl::StrCat(Number(m.request), " partition ", m.partition, ", ",
                        m.session == 0 ? "promise" : "confirm", " epoch ", m.epoch);
  }
  std::string operator()(const HintAttestation& m) const {
    return absl::StrCat(Number(m.request), " ", StatusName(m.status));
  }
  std::string operator()(const TombstoneRemoval& m) const {
    return absl::StrCat(" partition ", m.partition, ", ", m.entries.size(), " keys");
  }
};

}  // namespace

std::string DescribeMessage(const Message& message) {
  return absl::StrCat(MessageName(message), std::visit(Describer{}, message));
}

}  // namespace norn::sim
