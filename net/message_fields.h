// The field tables: which number of net/wire.proto is which field of core's structs.
//
// Fields(visitor, message) calls the visitor once per field, in the order of the numbers.
// Each table takes the struct apart by structured binding, so a field that is added to a
// struct stops the build here rather than being left behind on the wire. codec_test holds
// the tables against the descriptors of wire.proto: names, numbers, types.
//
//   Int        any integer, as a varint; its C++ type bounds it
//   Fixed64    8 bytes: ids and hashes whose high bits are in use
//   Node       a node id, never 0
//   Enum       needs the greatest value
//   Key        bytes under the limit for keys; Bytes: under the frame's only

#ifndef NORN_NET_MESSAGE_FIELDS_H_
#define NORN_NET_MESSAGE_FIELDS_H_

#include "core/client.h"
#include "core/messages.h"
#include "net/proto_writer.h"

namespace norn::net {

// Number of each message in Envelope.body. From kBodyNumberEnd on: fields beside the body.
inline constexpr uint32_t kBodyNumberEnd = 100;
template <typename M>
inline constexpr uint32_t kBodyNumber = 0;
template <>
inline constexpr uint32_t kBodyNumber<Gossip> = 1;
template <>
inline constexpr uint32_t kBodyNumber<ReplicaWrite> = 2;
template <>
inline constexpr uint32_t kBodyNumber<ReplicaWriteReply> = 3;
template <>
inline constexpr uint32_t kBodyNumber<ReplicaRead> = 4;
template <>
inline constexpr uint32_t kBodyNumber<ReplicaReadReply> = 5;
template <>
inline constexpr uint32_t kBodyNumber<Forward> = 6;
template <>
inline constexpr uint32_t kBodyNumber<ForwardReply> = 7;
template <>
inline constexpr uint32_t kBodyNumber<ExchangeOffer> = 8;
template <>
inline constexpr uint32_t kBodyNumber<ExchangeAnswer> = 9;
template <>
inline constexpr uint32_t kBodyNumber<ExchangeRecords> = 10;
template <>
inline constexpr uint32_t kBodyNumber<TreeCompare> = 40;
template <>
inline constexpr uint32_t kBodyNumber<TreeAnswer> = 41;
template <>
inline constexpr uint32_t kBodyNumber<Introduction> = 60;
template <>
inline constexpr uint32_t kBodyNumber<IntroductionAnswer> = 61;
template <>
inline constexpr uint32_t kBodyNumber<TombstoneOffer> = 62;
template <>
inline constexpr uint32_t kBodyNumber<TombstoneAnswer> = 63;
template <>
inline constexpr uint32_t kBodyNumber<EpochRaise> = 64;
template <>
inline constexpr uint32_t kBodyNumber<EpochAnswer> = 65;
template <>
inline constexpr uint32_t kBodyNumber<TombstoneRemoval> = 66;
template <>
inline constexpr uint32_t kBodyNumber<HintAttest> = 67;
template <>
inline constexpr uint32_t kBodyNumber<HintAttestation> = 68;

template <typename V, Is<MemberHeartbeat> M>
void Fields(V& v, M& m) {
  auto& [id, generation, heartbeat] = m;
  v.Node(1, "id", id);
  v.Int(2, "generation", generation);
  v.Int(3, "heartbeat", heartbeat);
}

template <typename V, Is<Suspicion> M>
void Fields(V& v, M& m) {
  auto& [suspect, by, generation, heartbeat] = m;
  v.Node(1, "suspect", suspect);
  v.Node(2, "by", by);
  v.Int(3, "generation", generation);
  v.Int(4, "heartbeat", heartbeat);
}

template <typename V, Is<Gossip> M>
void Fields(V& v, M& m) {
  auto& [members, suspicions, answer_wanted] = m;
  v.Repeated(1, "members", members);
  v.Repeated(2, "suspicions", suspicions);
  v.Bool(3, "answer_wanted", answer_wanted);
}

template <typename V, Is<ReplicaWrite> M>
void Fields(V& v, M& m) {
  auto& [request, layout, partition, key, record, hint_for, epoch, remaining_us] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Int(3, "partition", partition);
  v.Key(4, "key", key);
  v.Bytes(5, "record", record);
  v.Int(40, "hint_for", hint_for);
  v.Int(50, "epoch", epoch);
  v.Int(62, "remaining_us", remaining_us);
}

template <typename V, Is<Fence> M>
void Fields(V& v, M& m) {
  auto& [incarnation] = m;
  v.Fixed64(1, "incarnation", incarnation);
}

template <typename V, Is<ReplicaWriteReply> M>
void Fields(V& v, M& m) {
  auto& [request, status, life, fences, epoch] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
  v.Fixed64(3, "life", life);
  v.Repeated(4, "fences", fences);
  v.Int(50, "epoch", epoch);
}

template <typename V, Is<ReplicaRead> M>
void Fields(V& v, M& m) {
  auto& [request, layout, partition, key, hint_for, epoch, digest_above, remaining_us] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Int(3, "partition", partition);
  v.Key(4, "key", key);
  v.Int(40, "hint_for", hint_for);
  v.Int(50, "epoch", epoch);
  v.Int(60, "digest_above", digest_above);
  v.Int(62, "remaining_us", remaining_us);
}

template <typename V, Is<ReplicaReadReply> M>
void Fields(V& v, M& m) {
  auto& [request, status, record, life, fences, epoch, digest_high, digest_low] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
  v.Bytes(3, "record", record);
  v.Fixed64(4, "life", life);
  v.Repeated(5, "fences", fences);
  v.Int(50, "epoch", epoch);
  v.Fixed64(60, "digest_high", digest_high);
  v.Fixed64(61, "digest_low", digest_low);
}

template <typename V, Is<KnownLife> M>
void Fields(V& v, M& m) {
  auto& [number, incarnation] = m;
  v.Int(1, "number", number);
  v.Fixed64(2, "incarnation", incarnation);
}

template <typename V, Is<ReplicaLife> M>
void Fields(V& v, M& m) {
  auto& [partition, life] = m;
  v.Int(1, "partition", partition);
  v.Nested(2, "life", life);
}

template <typename V, Is<Introduction> M>
void Fields(V& v, M& m) {
  auto& [request, layout, lives, asked] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Repeated(3, "lives", lives);
  v.PackedInts(50, "asked", asked);
}

template <typename V, Is<ReplicaStanding> M>
void Fields(V& v, M& m) {
  auto& [partition, level, lives, empty, epoch, floor] = m;
  v.Int(1, "partition", partition);
  v.Enum(2, "level", level, StandingLevel::kComplete);
  v.Repeated(3, "lives", lives);
  v.Bool(4, "empty", empty);
  v.Int(50, "epoch", epoch);
  v.Int(51, "floor", floor);
}

template <typename V, Is<IntroductionAnswer> M>
void Fields(V& v, M& m) {
  auto& [request, standings] = m;
  v.Fixed64(1, "request", request);
  v.Repeated(2, "standings", standings);
}

template <typename V, Is<ClientRequest> M>
void Fields(V& v, M& m) {
  auto& [client, kind, base, bucket, key, value, context, quorum, level, primary, timeout_us,
         context_wanted, ttl_us, expires_us] = m;
  static_cast<void>(client);  // a ticket of the sender's own port
  static_cast<void>(ttl_us);  // the sender has made expires_us of it
  v.Enum(1, "kind", kind, ClientRequest::Kind::kDelete);
  v.Enum(2, "base", base, ClientRequest::Base::kNothing);
  v.Int(3, "bucket", bucket);
  v.Key(4, "key", key);
  v.Bytes(5, "value", value);
  v.Bytes(6, "context", context);
  v.Int(7, "quorum", quorum);
  v.Int(8, "timeout_us", timeout_us);
  v.Bool(9, "context_wanted", context_wanted);
  v.Enum(30, "level", level, Level::kEachQuorum);
  v.Int(31, "primary", primary);
  v.Int(32, "expires_us", expires_us);
}

template <typename V, Is<Sibling> M>
void Fields(V& v, M& m) {
  auto& [value, timestamp_us, ttl_us] = m;
  v.Bytes(1, "value", value);
  v.Int(2, "timestamp_us", timestamp_us);
  v.Int(30, "ttl_us", ttl_us);
}

template <typename V, Is<ClientReply> M>
void Fields(V& v, M& m) {
  auto& [client, outcome, message, siblings, context, replicas, zones, durable, hints] = m;
  static_cast<void>(client);  // a ticket of the receiver's own port
  v.Enum(1, "outcome", outcome, ClientReply::Outcome::kUnavailable);
  v.Bytes(2, "message", message);
  v.Repeated(3, "siblings", siblings);
  v.Bytes(4, "context", context);
  v.Int(5, "replicas", replicas);
  v.Int(30, "zones", zones);
  v.Int(31, "durable", durable);
  v.Int(40, "hints", hints);
}

template <typename V, Is<Forward> M>
void Fields(V& v, M& m) {
  auto& [request, sequence, sender_generation, receiver_generation, layout, remaining_us,
         operation] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "sequence", sequence);
  v.Int(3, "sender_generation", sender_generation);
  v.Int(4, "receiver_generation", receiver_generation);
  v.Int(5, "layout", layout);
  v.Int(6, "remaining_us", remaining_us);
  v.Nested(7, "operation", operation);
}

template <typename V, Is<ForwardReply> M>
void Fields(V& v, M& m) {
  auto& [request, status, reply] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
  v.Nested(3, "reply", reply);
}

template <typename V, Is<KeyHash> M>
void Fields(V& v, M& m) {
  auto& [key, high, low] = m;
  v.Key(1, "key", key);
  v.Fixed64(2, "high", high);
  v.Fixed64(3, "low", low);
}

template <typename V, Is<KeyRecord> M>
void Fields(V& v, M& m) {
  auto& [key, record] = m;
  v.Key(1, "key", key);
  v.Bytes(2, "record", record);
}

template <typename V, Is<ExchangeOffer> M>
void Fields(V& v, M& m) {
  auto& [request, layout, partition, from, to, digests, epoch] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Int(3, "partition", partition);
  v.Key(4, "from", from);
  v.Key(5, "to", to);
  v.PackedFixed64(20, "digests", digests);
  v.Int(50, "epoch", epoch);
}

template <typename V, Is<ExchangeAnswer> M>
void Fields(V& v, M& m) {
  auto& [request, status, partition, records, wanted, covered_to, complete, epoch] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
  v.Int(3, "partition", partition);
  v.Repeated(4, "records", records);
  v.Key(6, "covered_to", covered_to);
  v.PackedInts(20, "wanted", wanted);
  v.Bool(50, "complete", complete);
  v.Int(51, "epoch", epoch);
}

template <typename V, Is<ExchangeRecords> M>
void Fields(V& v, M& m) {
  auto& [layout, partition, records, epoch] = m;
  v.Int(1, "layout", layout);
  v.Int(2, "partition", partition);
  v.Repeated(3, "records", records);
  v.Int(50, "epoch", epoch);
}

template <typename V, Is<TreeSum> M>
void Fields(V& v, M& m) {
  auto& [partition, node, high, low] = m;
  v.Int(1, "partition", partition);
  v.Int(2, "node", node);
  v.Fixed64(3, "high", high);
  v.Fixed64(4, "low", low);
}

template <typename V, Is<TreeCompare> M>
void Fields(V& v, M& m) {
  auto& [request, layout, sums] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Repeated(3, "sums", sums);
}

template <typename V, Is<TreeFinding> M>
void Fields(V& v, M& m) {
  auto& [index, depth, differs, unknown, damaged, incomplete] = m;
  v.Int(1, "index", index);
  v.Int(2, "depth", depth);
  v.Bool(3, "differs", differs);
  v.Bool(4, "unknown", unknown);
  v.Bool(5, "damaged", damaged);
  v.Bool(6, "incomplete", incomplete);
}

template <typename V, Is<TreeAnswer> M>
void Fields(V& v, M& m) {
  auto& [request, status, findings] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
  v.Repeated(3, "findings", findings);
}

template <typename V, Is<TombstoneOffer> M>
void Fields(V& v, M& m) {
  auto& [request, layout, partition, entries] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Int(3, "partition", partition);
  v.Repeated(4, "entries", entries);
}

template <typename V, Is<TombstoneAnswer> M>
void Fields(V& v, M& m) {
  auto& [request, status, life, epoch, others] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
  v.Fixed64(3, "life", life);
  v.Int(4, "epoch", epoch);
  v.RepeatedKeys(5, "others", others);
}

template <typename V, Is<EpochRaise> M>
void Fields(V& v, M& m) {
  auto& [request, layout, partition, epoch, life, floor, lives] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Int(3, "partition", partition);
  v.Int(4, "epoch", epoch);
  v.Fixed64(5, "life", life);
  v.Bool(6, "floor", floor);
  v.Repeated(7, "lives", lives);
}

template <typename V, Is<EpochAnswer> M>
void Fields(V& v, M& m) {
  auto& [request, status] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
}

template <typename V, Is<TombstoneRemoval> M>
void Fields(V& v, M& m) {
  auto& [layout, partition, entries] = m;
  v.Int(1, "layout", layout);
  v.Int(2, "partition", partition);
  v.Repeated(3, "entries", entries);
}

template <typename V, Is<HintAttest> M>
void Fields(V& v, M& m) {
  auto& [request, layout, partition, epoch, session] = m;
  v.Fixed64(1, "request", request);
  v.Int(2, "layout", layout);
  v.Int(3, "partition", partition);
  v.Int(4, "epoch", epoch);
  v.Fixed64(5, "session", session);
}

template <typename V, Is<HintAttestation> M>
void Fields(V& v, M& m) {
  auto& [request, status, session, epoch] = m;
  v.Fixed64(1, "request", request);
  v.Enum(2, "status", status, ReplicaStatus::kStale);
  v.Fixed64(3, "session", session);
  v.Int(4, "epoch", epoch);
}

}  // namespace norn::net

#endif  // NORN_NET_MESSAGE_FIELDS_H_
