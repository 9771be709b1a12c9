#include "tools/dump/entry_text.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "core/causality/record.h"
#include "core/causality/version_vector.h"
#include "core/replication/hint_record.h"
#include "storage/record_storage.h"
#include "tools/dump/bytes_text.h"

namespace norn::dump {
namespace {

uint16_t LoadBigEndian16(absl::string_view bytes) {
  return static_cast<uint16_t>((static_cast<uint8_t>(bytes[0]) << 8) |
                               static_cast<uint8_t>(bytes[1]));
}

Fact VersionFact(const VersionView& version, const Options& options) {
  Fact fact(version.tombstone ? "tombstone" : "version");
  fact.Text("dot", ToString(version.dot))
      .Number("node", NodeOf(version.dot.incarnation))
      .Id("incarnation", version.dot.incarnation)
      .Number("counter", version.dot.counter)
      .Signed("wall_us", version.wall_us)
      .Flag("tombstone", version.tombstone);
  std::string what = "deleted";
  if (!version.tombstone) {
    fact.Number("value_bytes", version.value.size());
    if (options.values) fact.Bytes("value", version.value);
    what = absl::StrCat(version.value.size(), " bytes");
  }
  std::string sentence =
      absl::StrCat(ToString(version.dot), " = ", what, ", written ", WallTime(version.wall_us));
  if (version.expires_us != 0) {
    fact.Signed("expires_us", version.expires_us);
    absl::StrAppend(&sentence, ", expires ", WallTime(version.expires_us));
  }
  if (options.values && !version.tombstone) {
    absl::StrAppend(&sentence, ": ", Quoted(version.value));
  }
  return std::move(fact.Say(std::move(sentence)));
}

// The context, all dots ever seen.
Fact ContextFact(const VersionVector::Entry& entry) {
  Fact fact("seen");
  fact.Id("incarnation", entry.incarnation).Number("counter", entry.counter);
  return std::move(fact.Say(absl::StrCat(
      "seen ", ToString(Dot{.incarnation = entry.incarnation, .counter = entry.counter}))));
}

bool IsBelow(absl::string_view engine_key, const KeyBound& bound) {
  const std::optional<EngineKeyParts> parts = SplitEngineKey(engine_key);
  if (bound.is_engine_key || !parts.has_value()) return engine_key < bound.bytes;
  return parts->key < bound.bytes;
}

}  // namespace

std::optional<EngineKeyParts> SplitEngineKey(absl::string_view engine_key) {
  if (engine_key.size() < storage::kEngineKeyPrefixBytes + kBucketPrefixBytes) return std::nullopt;
  const absl::string_view record_key = engine_key.substr(storage::kEngineKeyPrefixBytes);
  return EngineKeyParts{.partition = LoadBigEndian16(engine_key),
                        .bucket = BucketOf(record_key),
                        .key = ClientKeyOf(record_key)};
}

std::string KeyText(absl::string_view engine_key, bool keys_hex) {
  const std::optional<EngineKeyParts> parts = SplitEngineKey(engine_key);
  if (!parts.has_value()) return absl::StrCat("engine key ", Quoted(engine_key, true));
  return absl::StrCat("partition ", parts->partition, ", bucket ", parts->bucket, ", key ",
                      Quoted(parts->key, keys_hex));
}

void AddKey(absl::string_view prefix, absl::string_view engine_key, bool keys_hex, Fact* fact) {
  const std::optional<EngineKeyParts> parts = SplitEngineKey(engine_key);
  if (!parts.has_value()) {
    fact->Bytes(absl::StrCat(prefix, "engine_key"), engine_key, /*hex=*/true);
    return;
  }
  fact->Number(absl::StrCat(prefix, "partition"), parts->partition)
      .Number(absl::StrCat(prefix, "bucket"), parts->bucket)
      .Bytes(absl::StrCat(prefix, "key"), parts->key, keys_hex);
}

Fact EntryFact(uint64_t sequence, absl::string_view engine_key,
               std::optional<absl::string_view> entry_value, const Options& options) {
  Fact fact("entry");
  fact.Number("sequence", sequence);
  AddKey("", engine_key, options.keys_hex, &fact);
  if (!entry_value.has_value()) {
    fact.Flag("deletion", true)
        .Say(absl::StrCat("write ", sequence, ": ", KeyText(engine_key, options.keys_hex),
                          ", deleted"));
    return fact;
  }
  const absl::string_view value = *entry_value;
  fact.Number("record_bytes", value.size());
  HintView hint;
  const bool is_hint = !value.empty() && HintView::Parse(value, &hint);
  RecordView record;
  const bool is_record = RecordView::Parse(is_hint ? hint.record : value, &record);
  fact.Flag("is_record", is_record);
  std::string sentence =
      absl::StrCat("write ", sequence, ": ", KeyText(engine_key, options.keys_hex), ", ");
  if (!is_record) {
    if (options.values) fact.Bytes("value", value);
    absl::StrAppend(&sentence, value.size(), " bytes that are no record",
                    options.values ? absl::StrCat(": ", Quoted(value)) : "");
    return std::move(fact.Say(std::move(sentence)));
  }
  size_t siblings = 0;
  for (const VersionView& version : record.versions) siblings += version.tombstone ? 0 : 1;
  fact.Number("siblings", siblings).Number("tombstones", record.versions.size() - siblings);
  if (is_hint) {
    const std::string owners = absl::StrJoin(hint.owners, ", ");
    fact.Text("hint_for", owners);
    absl::StrAppend(&sentence, "hint for ", owners, ": ");
  }
  absl::StrAppend(&sentence, "record of ", is_hint ? hint.record.size() : value.size(), " bytes",
                  record.last_writer_wins ? ", last writer wins" : "",
                  siblings == 0 ? ", no value" : "",
                  siblings > 1 ? absl::StrCat(", ", siblings, " siblings") : "");
  for (const VersionView& version : record.versions) {
    fact.Part("versions", VersionFact(version, options));
  }
  for (const VersionVector::Entry& entry : record.context.entries()) {
    fact.Part("context", ContextFact(entry));
  }
  return std::move(fact.Say(std::move(sentence)));
}

bool IsWithin(const Options& options, absl::string_view engine_key) {
  if (options.from.has_value() && IsBelow(engine_key, *options.from)) return false;
  return !options.to.has_value() || IsBelow(engine_key, *options.to);
}

}  // namespace norn::dump
