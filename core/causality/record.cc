#include "core/causality/record.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"
#include "xxhash.h"

namespace norn {

namespace {

constexpr uint8_t kFormat = 0x01;
constexpr uint8_t kTombstoneFlag = 0x01;

// Keeps of `mine` what `theirs` has too, or has not seen.
template <typename Take>
void TakeSurvivors(const std::vector<Version>& mine, const std::vector<Version>& theirs,
                   const VersionVector& their_context, bool take_common, const Take& take) {
  auto other = theirs.begin();
  for (const Version& version : mine) {
    while (other != theirs.end() && other->dot < version.dot) ++other;
    const bool common = other != theirs.end() && other->dot == version.dot;
    if (common ? take_common : !their_context.Covers(version.dot)) take(version);
  }
}

}  // namespace

bool Record::Decode(absl::string_view bytes, Record* record) {
  *record = Record();
  if (bytes.empty()) return true;
  ByteReader reader(bytes);
  if (reader.ReadByte() != kFormat) return false;
  const uint64_t entries = reader.ReadVarintUpTo(reader.rest().size());
  for (uint64_t i = 0; i < entries && !reader.failed(); ++i) {
    const Incarnation incarnation = reader.ReadFixed64();
    const uint64_t counter = reader.ReadVarint();
    if (!reader.failed() && !record->context_.AppendSorted(incarnation, counter)) return false;
  }
  const uint64_t versions = reader.ReadVarintUpTo(reader.rest().size());
  if (reader.failed() || entries == 0) return false;
  record->versions_.reserve(versions);
  for (uint64_t i = 0; i < versions; ++i) {
    Version version;
    const uint64_t index = reader.ReadVarintUpTo(entries - 1);
    version.dot.counter = reader.ReadVarint();
    const uint8_t flags = reader.ReadByte();
    version.wall_us = static_cast<int64_t>(reader.ReadVarint());
    const absl::string_view value = reader.ReadBytes();
    if (reader.failed() || flags > kTombstoneFlag) return false;
    const VersionVector::Entry& entry = record->context_.entries()[index];
    version.dot.incarnation = entry.incarnation;
    version.tombstone = (flags & kTombstoneFlag) != 0;
    if (version.dot.counter == 0 || version.dot.counter > entry.counter) return false;
    if (version.tombstone && !value.empty()) return false;
    if (!record->versions_.empty() && !(record->versions_.back().dot < version.dot)) return false;
    version.value.assign(value.data(), value.size());
    record->versions_.push_back(std::move(version));
  }
  return reader.Done();
}

std::string Record::Encode() const {
  std::string out;
  if (empty()) return out;
  size_t bytes = 16 + context_.size() * 14;
  for (const Version& version : versions_) bytes += 32 + version.value.size();
  out.reserve(bytes);
  out.push_back(static_cast<char>(kFormat));
  AppendVarint(&out, context_.size());
  for (const VersionVector::Entry& entry : context_.entries()) {
    AppendFixed64(&out, entry.incarnation);
    AppendVarint(&out, entry.counter);
  }
  AppendVarint(&out, versions_.size());
  size_t index = 0;  // versions and context are sorted alike
  for (const Version& version : versions_) {
    while (context_.entries()[index].incarnation != version.dot.incarnation) ++index;
    AppendVarint(&out, index);
    AppendVarint(&out, version.dot.counter);
    out.push_back(static_cast<char>(version.tombstone ? kTombstoneFlag : 0));
    AppendVarint(&out, static_cast<uint64_t>(version.wall_us));
    AppendBytes(&out, version.value);
  }
  return out;
}

void Record::Merge(const Record& other) {
  std::vector<Version> merged;
  merged.reserve(versions_.size() + other.versions_.size());
  const auto take = [&merged](const Version& version) { merged.push_back(version); };
  TakeSurvivors(versions_, other.versions_, other.context_, /*take_common=*/true, take);
  TakeSurvivors(other.versions_, versions_, context_, /*take_common=*/false, take);
  std::sort(merged.begin(), merged.end(),
            [](const Version& a, const Version& b) { return a.dot < b.dot; });
  versions_ = std::move(merged);
  context_.Join(other.context_);
}

void Record::Put(Version version, const VersionVector& context) {
  // A dot that was seen before would be swallowed by contexts that know the first use.
  CORE_CHECK(!context_.Covers(version.dot) && !context.Covers(version.dot));
  versions_.erase(
      std::remove_if(versions_.begin(), versions_.end(),
                     [&context](const Version& old) { return context.Covers(old.dot); }),
      versions_.end());
  context_.Join(context);
  context_.Add(version.dot);
  const auto at = std::lower_bound(
      versions_.begin(), versions_.end(), version.dot,
      [](const Version& old, const Dot& dot) { return old.dot < dot; });
  versions_.insert(at, std::move(version));
}

bool Record::HasValue() const { return SiblingCount() > 0; }

size_t Record::SiblingCount() const {
  return static_cast<size_t>(std::count_if(versions_.begin(), versions_.end(),
                                           [](const Version& v) { return !v.tombstone; }));
}

bool MergeEncoded(absl::string_view a, absl::string_view b, std::string* merged) {
  if (a == b || b.empty()) {
    merged->assign(a.data(), a.size());
    return true;
  }
  if (a.empty()) {
    merged->assign(b.data(), b.size());
    return true;
  }
  Record left;
  Record right;
  if (!Record::Decode(a, &left) || !Record::Decode(b, &right)) return false;
  left.Merge(right);
  *merged = left.Encode();
  return true;
}

bool IsCoveredBy(absl::string_view a, absl::string_view b) {
  if (a == b || a.empty()) return true;
  std::string merged;
  return MergeEncoded(a, b, &merged) && merged == b;
}

RecordHash HashRecord(absl::string_view record_key, absl::string_view record) {
  const XXH128_hash_t key = XXH3_128bits(record_key.data(), record_key.size());
  const XXH128_hash_t hash =
      XXH3_128bits_withSeed(record.data(), record.size(), key.low64 ^ (key.high64 << 1));
  return RecordHash{hash.high64, hash.low64};
}

std::string DebugString(const Record& record) {
  std::string out = "{";
  for (const Version& version : record.versions()) {
    if (out.size() > 1) out.append(", ");
    absl::StrAppend(&out, ToString(version.dot), "=");
    if (version.tombstone) {
      out.append("deleted");
    } else {
      absl::StrAppend(&out, version.value.size(), " bytes");
    }
  }
  out.append("} seen {");
  bool first = true;
  for (const VersionVector::Entry& entry : record.context().entries()) {
    if (!first) out.append(", ");
    first = false;
    out.append(ToString(Dot{entry.incarnation, entry.counter}));
  }
  out.append("}");
  return out;
}

}  // namespace norn
