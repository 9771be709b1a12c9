#include "net/message_testing.h"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/client.h"
#include "core/messages.h"
#include "core/random.h"

namespace norn::net {
namespace {

template <typename T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T> || std::same_as<T, std::string>)
bool Same(const T& a, const T& b) {
  return a == b;
}

template <typename T>
bool Same(const std::vector<T>& a, const std::vector<T>& b);

// The structured bindings are there to name every field: a new one stops the build.
bool Same(const MemberHeartbeat& a, const MemberHeartbeat& b) {
  const auto& [id, generation, heartbeat] = a;
  return Same(id, b.id) && Same(generation, b.generation) && Same(heartbeat, b.heartbeat);
}

bool Same(const Suspicion& a, const Suspicion& b) {
  const auto& [suspect, by, generation, heartbeat] = a;
  return Same(suspect, b.suspect) && Same(by, b.by) && Same(generation, b.generation) &&
         Same(heartbeat, b.heartbeat);
}

bool Same(const Fence& a, const Fence& b) {
  const auto& [incarnation] = a;
  return Same(incarnation, b.incarnation);
}

bool Same(const KeyHash& a, const KeyHash& b) {
  const auto& [key, high, low] = a;
  return Same(key, b.key) && Same(high, b.high) && Same(low, b.low);
}

bool Same(const KeyRecord& a, const KeyRecord& b) {
  const auto& [key, record] = a;
  return Same(key, b.key) && Same(record, b.record);
}

bool Same(const Sibling& a, const Sibling& b) {
  const auto& [value, timestamp_us, ttl_us] = a;
  return Same(value, b.value) && Same(timestamp_us, b.timestamp_us) && Same(ttl_us, b.ttl_us);
}

bool Same(const ClientRequest& a, const ClientRequest& b) {
  const auto& [client, kind, base, bucket, key, value, context, quorum, level, primary, timeout_us,
               context_wanted, ttl_us, expires_us] = a;
  static_cast<void>(client);
  static_cast<void>(ttl_us);  // not sent
  return Same(kind, b.kind) && Same(base, b.base) && Same(bucket, b.bucket) && Same(key, b.key) &&
         Same(value, b.value) && Same(context, b.context) && Same(quorum, b.quorum) &&
         Same(timeout_us, b.timeout_us) && Same(context_wanted, b.context_wanted) &&
         Same(level, b.level) && Same(primary, b.primary) && Same(expires_us, b.expires_us);
}

bool Same(const ClientReply& a, const ClientReply& b) {
  const auto& [client, outcome, message, siblings, context, replicas, zones, durable, hints] = a;
  static_cast<void>(client);
  return Same(outcome, b.outcome) && Same(message, b.message) && Same(siblings, b.siblings) &&
         Same(context, b.context) && Same(replicas, b.replicas) && Same(zones, b.zones) &&
         Same(durable, b.durable) && Same(hints, b.hints);
}

bool Same(const Gossip& a, const Gossip& b) {
  const auto& [members, suspicions, answer_wanted] = a;
  return Same(members, b.members) && Same(suspicions, b.suspicions) &&
         Same(answer_wanted, b.answer_wanted);
}

bool Same(const ReplicaWrite& a, const ReplicaWrite& b) {
  const auto& [request, layout, partition, key, record, hint_for, epoch, remaining_us] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(partition, b.partition) &&
         Same(key, b.key) && Same(record, b.record) && Same(hint_for, b.hint_for) &&
         Same(epoch, b.epoch) && Same(remaining_us, b.remaining_us);
}

bool Same(const ReplicaWriteReply& a, const ReplicaWriteReply& b) {
  const auto& [request, status, life, fences, epoch] = a;
  return Same(request, b.request) && Same(status, b.status) && Same(life, b.life) &&
         Same(fences, b.fences) && Same(epoch, b.epoch);
}

bool Same(const ReplicaRead& a, const ReplicaRead& b) {
  const auto& [request, layout, partition, key, hint_for, epoch, digest_above, remaining_us] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(partition, b.partition) &&
         Same(key, b.key) && Same(hint_for, b.hint_for) && Same(epoch, b.epoch) &&
         Same(digest_above, b.digest_above) && Same(remaining_us, b.remaining_us);
}

bool Same(const ReplicaReadReply& a, const ReplicaReadReply& b) {
  const auto& [request, status, record, life, fences, epoch, digest_high, digest_low] = a;
  return Same(request, b.request) && Same(status, b.status) && Same(record, b.record) &&
         Same(life, b.life) && Same(fences, b.fences) && Same(epoch, b.epoch) &&
         Same(digest_high, b.digest_high) && Same(digest_low, b.digest_low);
}

bool Same(const KnownLife& a, const KnownLife& b) {
  const auto& [number, incarnation] = a;
  return Same(number, b.number) && Same(incarnation, b.incarnation);
}

bool Same(const ReplicaLife& a, const ReplicaLife& b) {
  const auto& [partition, life] = a;
  return Same(partition, b.partition) && Same(life, b.life);
}

bool Same(const Introduction& a, const Introduction& b) {
  const auto& [request, layout, lives, asked] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(lives, b.lives) &&
         Same(asked, b.asked);
}

bool Same(const ReplicaStanding& a, const ReplicaStanding& b) {
  const auto& [partition, level, lives, empty, epoch, floor] = a;
  return Same(partition, b.partition) && Same(level, b.level) && Same(lives, b.lives) &&
         Same(empty, b.empty) && Same(epoch, b.epoch) && Same(floor, b.floor);
}

bool Same(const IntroductionAnswer& a, const IntroductionAnswer& b) {
  const auto& [request, standings] = a;
  return Same(request, b.request) && Same(standings, b.standings);
}

bool Same(const Forward& a, const Forward& b) {
  const auto& [request, sequence, sender_generation, receiver_generation, layout, remaining_us,
               operation] = a;
  return Same(request, b.request) && Same(sequence, b.sequence) &&
         Same(sender_generation, b.sender_generation) &&
         Same(receiver_generation, b.receiver_generation) && Same(layout, b.layout) &&
         Same(remaining_us, b.remaining_us) && Same(operation, b.operation);
}

bool Same(const ForwardReply& a, const ForwardReply& b) {
  const auto& [request, status, reply] = a;
  return Same(request, b.request) && Same(status, b.status) && Same(reply, b.reply);
}

bool Same(const ExchangeOffer& a, const ExchangeOffer& b) {
  const auto& [request, layout, partition, from, to, digests, epoch] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(partition, b.partition) &&
         Same(from, b.from) && Same(to, b.to) && Same(digests, b.digests) && Same(epoch, b.epoch);
}

bool Same(const ExchangeAnswer& a, const ExchangeAnswer& b) {
  const auto& [request, status, partition, records, wanted, covered_to, complete, epoch] = a;
  return Same(request, b.request) && Same(status, b.status) && Same(partition, b.partition) &&
         Same(records, b.records) && Same(wanted, b.wanted) && Same(covered_to, b.covered_to) &&
         Same(complete, b.complete) && Same(epoch, b.epoch);
}

bool Same(const ExchangeRecords& a, const ExchangeRecords& b) {
  const auto& [layout, partition, records, epoch] = a;
  return Same(layout, b.layout) && Same(partition, b.partition) && Same(records, b.records) &&
         Same(epoch, b.epoch);
}

bool Same(const TreeSum& a, const TreeSum& b) {
  const auto& [partition, node, high, low] = a;
  return Same(partition, b.partition) && Same(node, b.node) && Same(high, b.high) &&
         Same(low, b.low);
}

bool Same(const TreeCompare& a, const TreeCompare& b) {
  const auto& [request, layout, sums] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(sums, b.sums);
}

bool Same(const TreeFinding& a, const TreeFinding& b) {
  const auto& [index, depth, differs, unknown, damaged, incomplete] = a;
  return Same(index, b.index) && Same(depth, b.depth) && Same(differs, b.differs) &&
         Same(unknown, b.unknown) && Same(damaged, b.damaged) && Same(incomplete, b.incomplete);
}

bool Same(const TreeAnswer& a, const TreeAnswer& b) {
  const auto& [request, status, findings] = a;
  return Same(request, b.request) && Same(status, b.status) && Same(findings, b.findings);
}

bool Same(const TombstoneOffer& a, const TombstoneOffer& b) {
  const auto& [request, layout, partition, entries] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(partition, b.partition) &&
         Same(entries, b.entries);
}

bool Same(const TombstoneAnswer& a, const TombstoneAnswer& b) {
  const auto& [request, status, life, epoch, others] = a;
  return Same(request, b.request) && Same(status, b.status) && Same(life, b.life) &&
         Same(epoch, b.epoch) && Same(others, b.others);
}

bool Same(const EpochRaise& a, const EpochRaise& b) {
  const auto& [request, layout, partition, epoch, life, floor, lives] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(partition, b.partition) &&
         Same(epoch, b.epoch) && Same(life, b.life) && Same(floor, b.floor) && Same(lives, b.lives);
}

bool Same(const EpochAnswer& a, const EpochAnswer& b) {
  const auto& [request, status] = a;
  return Same(request, b.request) && Same(status, b.status);
}

bool Same(const HintAttest& a, const HintAttest& b) {
  const auto& [request, layout, partition, epoch, session] = a;
  return Same(request, b.request) && Same(layout, b.layout) && Same(partition, b.partition) &&
         Same(epoch, b.epoch) && Same(session, b.session);
}

bool Same(const HintAttestation& a, const HintAttestation& b) {
  const auto& [request, status, session, epoch] = a;
  return Same(request, b.request) && Same(status, b.status) && Same(session, b.session) &&
         Same(epoch, b.epoch);
}

bool Same(const TombstoneRemoval& a, const TombstoneRemoval& b) {
  const auto& [layout, partition, entries] = a;
  return Same(layout, b.layout) && Same(partition, b.partition) && Same(entries, b.entries);
}

template <typename T>
bool Same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return Same(x, y); });
}

// Draws fields: a visitor of no table, so that a test of the tables does not rest on them.
class Draw {
 public:
  explicit Draw(Random* random) : random_(random) {}

  template <std::integral T>
  T Number() {
    // All magnitudes alike: a varint has another length for each.
    const uint64_t wide = random_->Next64() >> random_->Below(64);
    return static_cast<T>(random_->Chance(1, 8) ? 0 : wide);
  }
  bool Flag() { return random_->Chance(1, 2); }
  NodeId Node() { return static_cast<NodeId>(random_->Between(1, 65535)); }
  template <typename E>
  E Enum(E last) {
    return static_cast<E>(random_->Below(static_cast<uint64_t>(last) + 1));
  }
  std::string Bytes() {
    const uint64_t size_max = random_->Chance(1, 8) ? 1000 : 40;
    return RandomBytes(random_, random_->Below(size_max));
  }
  template <typename F>
  auto Many(F draw) {
    std::vector<decltype(draw())> list(random_->Below(6));
    for (auto& element : list) element = draw();
    return list;
  }

  KeyRecord Record() { return {.key = Bytes(), .record = Bytes()}; }
  ReplicaStatus Status() { return Enum(ReplicaStatus::kStale); }
  std::vector<Fence> Fences() {
    return Many([this] { return Fence{.incarnation = Number<uint64_t>()}; });
  }
  KnownLife Life() { return {.number = Number<uint64_t>(), .incarnation = Number<uint64_t>()}; }
  ClientRequest Request() {
    return {.kind = Enum(ClientRequest::Kind::kDelete),
            .base = Enum(ClientRequest::Base::kNothing),
            .bucket = Number<BucketId>(),
            .key = Bytes(),
            .value = Bytes(),
            .context = Bytes(),
            .quorum = Number<int>(),
            .level = Enum(Level::kEachQuorum),
            .primary = Number<int>(),
            .timeout_us = Number<int64_t>(),
            .context_wanted = Flag(),
            .expires_us = Number<int64_t>()};
  }
  ClientReply Reply() {
    return {.outcome = Enum(ClientReply::Outcome::kUnavailable),
            .message = Bytes(),
            .siblings = Many([this] {
              return Sibling{
                  .value = Bytes(), .timestamp_us = Number<int64_t>(), .ttl_us = Number<int64_t>()};
            }),
            .context = Bytes(),
            .replicas = Number<int>(),
            .zones = Number<int>(),
            .durable = Number<int>(),
            .hints = Number<int>()};
  }
  KeyHash Hash() { return {.key = Bytes(), .high = Number<uint64_t>(), .low = Number<uint64_t>()}; }
  // The alternative of Message with this index.
  Message Any(size_t kind) {
    switch (kind) {
      case 0:
        return Gossip{.members = Many([this] {
                        return MemberHeartbeat{.id = Node(),
                                               .generation = Number<uint64_t>(),
                                               .heartbeat = Number<uint64_t>()};
                      }),
                      .suspicions = Many([this] {
                        return Suspicion{.suspect = Node(),
                                         .by = Node(),
                                         .generation = Number<uint64_t>(),
                                         .heartbeat = Number<uint64_t>()};
                      }),
                      .answer_wanted = Flag()};
      case 1:
        return ReplicaWrite{.request = Number<uint64_t>(),
                            .layout = Number<uint64_t>(),
                            .partition = Number<PartitionId>(),
                            .key = Bytes(),
                            .record = Bytes(),
                            .hint_for = Number<NodeId>(),
                            .epoch = Number<uint64_t>(),
                            .remaining_us = Number<int64_t>()};
      case 2:
        return ReplicaWriteReply{.request = Number<uint64_t>(),
                                 .status = Status(),
                                 .life = Number<uint64_t>(),
                                 .fences = Fences(),
                                 .epoch = Number<uint64_t>()};
      case 3:
        return ReplicaRead{.request = Number<uint64_t>(),
                           .layout = Number<uint64_t>(),
                           .partition = Number<PartitionId>(),
                           .key = Bytes(),
                           .hint_for = Number<NodeId>(),
                           .epoch = Number<uint64_t>(),
                           .digest_above = Number<uint64_t>(),
                           .remaining_us = Number<int64_t>()};
      case 4:
        return ReplicaReadReply{.request = Number<uint64_t>(),
                                .status = Status(),
                                .record = Bytes(),
                                .life = Number<uint64_t>(),
                                .fences = Fences(),
                                .epoch = Number<uint64_t>(),
                                .digest_high = Number<uint64_t>(),
                                .digest_low = Number<uint64_t>()};
      case 5:
        return Forward{.request = Number<uint64_t>(),
                       .sequence = Number<uint64_t>(),
                       .sender_generation = Number<uint64_t>(),
                       .receiver_generation = Number<uint64_t>(),
                       .layout = Number<uint64_t>(),
                       .remaining_us = Number<int64_t>(),
                       .operation = Request()};
      case 6:
        return ForwardReply{.request = Number<uint64_t>(), .status = Status(), .reply = Reply()};
      case 7:
        return ExchangeOffer{.request = Number<uint64_t>(),
                             .layout = Number<uint64_t>(),
                             .partition = Number<PartitionId>(),
                             .from = Bytes(),
                             .to = Bytes(),
                             .digests = Many([this] { return Number<uint64_t>(); }),
                             .epoch = Number<uint64_t>()};
      case 8:
        return ExchangeAnswer{.request = Number<uint64_t>(),
                              .status = Status(),
                              .partition = Number<PartitionId>(),
                              .records = Many([this] { return Record(); }),
                              .wanted = Many([this] { return Number<uint32_t>(); }),
                              .covered_to = Bytes(),
                              .complete = Flag(),
                              .epoch = Number<uint64_t>()};
      case 9:
        return ExchangeRecords{.layout = Number<uint64_t>(),
                               .partition = Number<PartitionId>(),
                               .records = Many([this] { return Record(); }),
                               .epoch = Number<uint64_t>()};
      case 10:
        return TreeCompare{.request = Number<uint64_t>(),
                           .layout = Number<uint64_t>(),
                           .sums = Many([this] {
                             return TreeSum{.partition = Number<PartitionId>(),
                                            .node = Number<uint32_t>(),
                                            .high = Number<uint64_t>(),
                                            .low = Number<uint64_t>()};
                           })};
      case 11:
        return TreeAnswer{.request = Number<uint64_t>(),
                          .status = Status(),
                          .findings = Many([this] {
                            return TreeFinding{.index = Number<uint32_t>(),
                                               .depth = Number<uint32_t>(),
                                               .differs = Flag(),
                                               .unknown = Flag(),
                                               .damaged = Flag(),
                                               .incomplete = Flag()};
                          })};
      case 12:
        return Introduction{
            .request = Number<uint64_t>(),
            .layout = Number<uint64_t>(),
            .lives = Many(
                [this] { return ReplicaLife{.partition = Number<PartitionId>(), .life = Life()}; }),
            .asked = Many([this] { return Number<uint32_t>(); })};
      case 13:
        return IntroductionAnswer{.request = Number<uint64_t>(),
                                  .standings = Many([this] {
                                    return ReplicaStanding{.partition = Number<PartitionId>(),
                                                           .level = Enum(StandingLevel::kComplete),
                                                           .lives = Many([this] { return Life(); }),
                                                           .empty = Flag(),
                                                           .epoch = Number<uint64_t>(),
                                                           .floor = Number<uint64_t>()};
                                  })};
      case 14:
        return TombstoneOffer{.request = Number<uint64_t>(),
                              .layout = Number<uint64_t>(),
                              .partition = Number<PartitionId>(),
                              .entries = Many([this] { return Hash(); })};
      case 15:
        return TombstoneAnswer{.request = Number<uint64_t>(),
                               .status = Status(),
                               .life = Number<uint64_t>(),
                               .epoch = Number<uint64_t>(),
                               .others = Many([this] { return Bytes(); })};
      case 16:
        return EpochRaise{.request = Number<uint64_t>(),
                          .layout = Number<uint64_t>(),
                          .partition = Number<PartitionId>(),
                          .epoch = Number<uint64_t>(),
                          .life = Number<uint64_t>(),
                          .floor = Flag(),
                          .lives = Fences()};
      case 17:
        return EpochAnswer{.request = Number<uint64_t>(), .status = Status()};
      case 18:
        return HintAttest{.request = Number<uint64_t>(),
                          .layout = Number<uint64_t>(),
                          .partition = Number<PartitionId>(),
                          .epoch = Number<uint64_t>(),
                          .session = Number<uint64_t>()};
      case 19:
        return HintAttestation{.request = Number<uint64_t>(),
                               .status = Status(),
                               .session = Number<uint64_t>(),
                               .epoch = Number<uint64_t>()};
      default:
        return TombstoneRemoval{.layout = Number<uint64_t>(),
                                .partition = Number<PartitionId>(),
                                .entries = Many([this] { return Hash(); })};
    }
  }

 private:
  Random* const random_;
};

static_assert(std::variant_size_v<Message> == 21, "Draw::Any must know every message");

}  // namespace

bool SameMessage(const Message& a, const Message& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&b](const auto& body) {
        return Same(body, std::get<std::remove_cvref_t<decltype(body)>>(b));
      },
      a);
}

std::string RandomBytes(Random* random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random->Below(256));
  return bytes;
}

Message RandomMessage(Random* random) {
  const size_t kind = static_cast<size_t>(random->Below(std::variant_size_v<Message>));
  return Draw(random).Any(kind);
}

std::vector<Message> OneOfEach() {
  const ClientRequest request = {.kind = ClientRequest::Kind::kPut,
                                 .base = ClientRequest::Base::kToken,
                                 .bucket = 7,
                                 .key = "apple",
                                 .value = "red",
                                 .context = "token",
                                 .quorum = 2,
                                 .timeout_us = 2'000'000};
  const ClientReply reply = {.outcome = ClientReply::Outcome::kUnknown,
                             .message = "1 of 2 acknowledgements came in time",
                             .siblings = {{.value = "red", .timestamp_us = -1}},
                             .context = "token",
                             .replicas = 1,
                             .hints = 1};
  const std::string key = MakeRecordKey(7, "apple");
  return {
      Gossip{.members = {{.id = 1, .generation = 4, .heartbeat = 1000},
                         {.id = 65535, .generation = 1, .heartbeat = 0}},
             .suspicions = {{.suspect = 2, .by = 3, .generation = 9, .heartbeat = 77}},
             .answer_wanted = true},
      ReplicaWrite{.request = ~uint64_t{0},
                   .layout = 5,
                   .partition = 255,
                   .key = key,
                   .record = "record",
                   .hint_for = 65535,
                   .epoch = 4,
                   .remaining_us = 1'999'999},
      ReplicaWriteReply{
          .request = 1, .status = ReplicaStatus::kOk, .life = 7, .fences = {{~uint64_t{0}}, {9}}},
      ReplicaRead{.request = 2, .layout = 5, .partition = 16383, .key = key, .hint_for = 1},
      ReplicaRead{.request = 2, .layout = 5, .partition = 1, .key = key, .digest_above = 1024},
      ReplicaReadReply{.request = 2,
                       .status = ReplicaStatus::kOk,
                       .record = std::string(),
                       .life = 7,
                       .fences = {{9}},
                       .digest_high = 3,
                       .digest_low = ~uint64_t{0}},
      ReplicaReadReply{.request = 2,
                       .status = ReplicaStatus::kWrongLayout,
                       .record = "record",
                       .life = 7,
                       .fences = {{9}}},
      Forward{.request = 3,
              .sequence = 1,
              .sender_generation = 2,
              .receiver_generation = 3,
              .layout = 5,
              .remaining_us = 1'500'000,
              .operation = request},
      ForwardReply{.request = 3, .status = ReplicaStatus::kRefused, .reply = reply},
      ExchangeOffer{.request = 4,
                    .layout = 5,
                    .partition = 9,
                    .from = "a",
                    .to = "b",
                    .digests = {~uint64_t{0}, 0, 1}},
      ExchangeAnswer{.request = 4,
                     .status = ReplicaStatus::kError,
                     .partition = 9,
                     .records = {{.key = key, .record = "record"}},
                     .wanted = {0, 300},
                     .covered_to = "b",
                     .complete = true},
      ExchangeRecords{.layout = 5, .partition = 9, .records = {{.key = key, .record = "record"}}},
      TreeCompare{.request = 6,
                  .layout = 5,
                  .sums = {{.partition = 9, .node = 131071, .high = ~uint64_t{0}, .low = 1}}},
      TreeAnswer{.request = 6,
                 .status = ReplicaStatus::kOk,
                 .findings = {{.index = 0, .depth = 16, .differs = true},
                              {.index = 1, .unknown = true, .damaged = true}}},
      Introduction{.request = 5,
                   .layout = 5,
                   .lives = {{.partition = 9, .life = {1, 7}}},
                   .asked = {0, 300}},
      IntroductionAnswer{.request = 5,
                         .standings = {{.partition = 9,
                                        .level = StandingLevel::kComplete,
                                        .lives = {{1, 7}, {2, 9}},
                                        .empty = true,
                                        .epoch = 4,
                                        .floor = 3}}},
      TombstoneOffer{.request = 7,
                     .layout = 5,
                     .partition = 9,
                     .entries = {{.key = key, .high = ~uint64_t{0}, .low = 1}}},
      TombstoneAnswer{
          .request = 7, .status = ReplicaStatus::kOk, .life = 7, .epoch = 3, .others = {"a", ""}},
      EpochRaise{.request = 8,
                 .layout = 5,
                 .partition = 9,
                 .epoch = 4,
                 .life = 7,
                 .floor = true,
                 .lives = {{~uint64_t{0}}, {9}}},
      EpochAnswer{.request = 8, .status = ReplicaStatus::kStale},
      TombstoneRemoval{
          .layout = 5, .partition = 9, .entries = {{.key = key, .high = 2, .low = ~uint64_t{0}}}},
      HintAttest{.request = 9, .layout = 5, .partition = 9, .epoch = 4, .session = ~uint64_t{0}},
      HintAttestation{.request = 9, .status = ReplicaStatus::kStale, .session = 11, .epoch = 4},
  };
}

}  // namespace norn::net
