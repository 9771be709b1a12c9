#include "core/testing/describe.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/causality/record.h"
#include "core/ring/position.h"

namespace norn::testing {

namespace {

constexpr size_t kValueShown = 24;

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

// "1.17"; "1/9f.17" where the record knows several incarnations of node 1.
std::string DotName(const VersionVector& context, Incarnation incarnation, uint64_t counter) {
  int of_this_node = 0;
  for (const VersionVector::Entry& entry : context.entries()) {
    of_this_node += NodeOf(entry.incarnation) == NodeOf(incarnation) ? 1 : 0;
  }
  std::string name = absl::StrCat(NodeOf(incarnation));
  if (of_this_node > 1) {
    absl::StrAppend(&name, "/", absl::Hex((incarnation >> 40) & 0xff, absl::kZeroPad2));
  }
  return absl::StrCat(name, ".", counter);
}

std::string Key(absl::string_view record_key) { return std::string(ClientKeyOf(record_key)); }

std::string Bound(absl::string_view cursor, const char* open) {
  if (cursor.size() < kPositionBytes) return std::string(open);
  const auto upper = static_cast<uint8_t>(cursor[0]);
  const auto lower = static_cast<uint8_t>(cursor[1]);
  return absl::StrCat(upper * 256 + lower, ":", Key(cursor.substr(kPositionBytes)));
}

std::string Records(const std::vector<KeyRecord>& records) {
  return absl::StrJoin(records, "; ", [](std::string* out, const KeyRecord& record) {
    absl::StrAppend(out, Key(record.key), " ", DescribeRecord(record.record));
  });
}

std::string Hashed(const std::vector<KeyHash>& entries) {
  return absl::StrJoin(entries, " ",
                       [](std::string* out, const KeyHash& entry) { out->append(Key(entry.key)); });
}

std::string Instead(NodeId owner) {
  return owner == kNoNode ? std::string() : absl::StrCat(" in the stead of ", owner);
}

struct Describer {
  std::string operator()(const Gossip& m) const {
    std::string out;
    for (const MemberHeartbeat& member : m.members) {
      absl::StrAppend(&out, " ", member.id, "@", member.generation, ".", member.heartbeat);
    }
    for (const Suspicion& suspicion : m.suspicions) {
      absl::StrAppend(&out, " (", suspicion.by, " suspects ", suspicion.suspect, "@",
                      suspicion.generation, ".", suspicion.heartbeat, ")");
    }
    return out + (m.answer_wanted ? " answer wanted" : "");
  }
  std::string operator()(const ReplicaWrite& m) const {
    return absl::StrCat(" ", Key(m.key), " ", DescribeRecord(m.record), Instead(m.hint_for));
  }
  std::string operator()(const ReplicaWriteReply& m) const {
    return absl::StrCat(" ", StatusName(m.status));
  }
  std::string operator()(const ReplicaRead& m) const {
    return absl::StrCat(" ", Key(m.key), Instead(m.hint_for));
  }
  std::string operator()(const ReplicaReadReply& m) const {
    const bool digest = m.digest_high != 0 || m.digest_low != 0;
    return absl::StrCat(" ", StatusName(m.status), " ",
                        digest ? std::string("as a digest") : DescribeRecord(m.record));
  }
  std::string operator()(const Forward& m) const {
    return absl::StrCat(" #", m.sequence, " to generation ", m.receiver_generation, ": ",
                        m.operation.kind == ClientRequest::Kind::kDelete ? "delete " : "put ",
                        m.operation.key, " ", m.operation.value);
  }
  std::string operator()(const ForwardReply& m) const {
    return m.status == ReplicaStatus::kOk
               ? absl::StrCat(" ", OutcomeName(m.reply.outcome), " ", m.reply.replicas)
               : absl::StrCat(" ", StatusName(m.status));
  }
  std::string operator()(const ExchangeOffer& m) const {
    return absl::StrCat(" partition ", m.partition, " [", Bound(m.from, "start"), ", ",
                        Bound(m.to, "end"), ") ", m.digests.size(), " keys");
  }
  std::string operator()(const ExchangeAnswer& m) const {
    return absl::StrCat(" ", StatusName(m.status), " up to ", Bound(m.covered_to, "the end"),
                        ", has [", Records(m.records), "], wants [", absl::StrJoin(m.wanted, " "),
                        "]");
  }
  std::string operator()(const Introduction& m) const {
    return absl::StrJoin(m.lives, "", [](std::string* out, const ReplicaLife& life) {
      absl::StrAppend(out, " partition ", life.partition, " life ", life.life.number);
    });
  }
  std::string operator()(const IntroductionAnswer& m) const {
    return absl::StrJoin(m.standings, "", [](std::string* out, const ReplicaStanding& standing) {
      absl::StrAppend(out, " partition ", standing.partition, " level ",
                      static_cast<int>(standing.level));
    });
  }
  std::string operator()(const ExchangeRecords& m) const {
    return absl::StrCat(" partition ", m.partition, " [", Records(m.records), "]");
  }
  std::string operator()(const TreeCompare& m) const {
    const auto sum = [](std::string* out, const TreeSum& s) {
      absl::StrAppend(out, " ", s.partition, "/", s.node);
    };
    return absl::StrJoin(m.sums, "", sum);
  }
  std::string operator()(const TreeAnswer& m) const {
    const auto finding = [](std::string* out, const TreeFinding& f) {
      absl::StrAppend(out, " #", f.index, f.differs ? " differs" : "", f.unknown ? " unknown" : "",
                      f.damaged ? " damaged" : "", f.incomplete ? " incomplete" : "");
    };
    return absl::StrCat(" ", StatusName(m.status), absl::StrJoin(m.findings, "", finding));
  }
  std::string operator()(const TombstoneOffer& m) const {
    return absl::StrCat(" partition ", m.partition, " [", Hashed(m.entries), "]");
  }
  std::string operator()(const TombstoneAnswer& m) const {
    const auto key = [](std::string* out, const std::string& k) { out->append(Key(k)); };
    return absl::StrCat(" ", StatusName(m.status), " in epoch ", m.epoch, ", other than [",
                        absl::StrJoin(m.others, " ", key), "]");
  }
  std::string operator()(const EpochRaise& m) const {
    return absl::StrCat(" partition ", m.partition, " to epoch ", m.epoch,
                        m.floor ? ", hints too" : "");
  }
  std::string operator()(const EpochAnswer& m) const {
    return absl::StrCat(" ", StatusName(m.status));
  }
  std::string operator()(const HintAttest& m) const {
    return absl::StrCat(" partition ", m.partition, m.session == 0 ? ", promise" : ", confirm",
                        " epoch ", m.epoch);
  }
  std::string operator()(const HintAttestation& m) const {
    return absl::StrCat(" ", StatusName(m.status));
  }
  std::string operator()(const TombstoneRemoval& m) const {
    return absl::StrCat(" partition ", m.partition, " [", Hashed(m.entries), "]");
  }
};

}  // namespace

std::string DescribeRecord(absl::string_view encoded) {
  Record record;
  if (encoded.empty()) return "nothing";
  if (!Record::Decode(encoded, &record)) return "(no record)";
  const VersionVector& context = record.context();
  const auto version = [&context](std::string* out, const Version& v) {
    const std::string value =
        v.value.size() <= kValueShown ? v.value : absl::StrCat(v.value.size(), " bytes");
    absl::StrAppend(out, v.tombstone ? "deleted" : value, " by ",
                    DotName(context, v.dot.incarnation, v.dot.counter));
  };
  const auto entry = [&context](std::string* out, const VersionVector::Entry& e) {
    out->append(DotName(context, e.incarnation, e.counter));
  };
  return absl::StrCat("{", absl::StrJoin(record.versions(), ", ", version), "} seen {",
                      absl::StrJoin(record.context().entries(), ", ", entry), "}");
}

std::string DescribeMessage(const Message& message) {
  return absl::StrCat(MessageName(message), std::visit(Describer{}, message));
}

}  // namespace norn::testing
