#include "core/causality/record.h"

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"

namespace norn {

namespace {

constexpr uint8_t kFormat = 0x01;
constexpr uint8_t kTombstoneFlag = 0x01;

// The least a version takes: index, counter, flags, time, length of the value.
constexpr size_t kVersionBytesMin = 5;

template <typename AnyVersion>
std::string EncodeParts(const VersionVector& context, const std::vector<AnyVersion>& versions) {
  std::string out;
  if (context.empty()) return out;
  size_t bytes = 16 + context.size() * (8 + kVarintBytesMax);
  for (const AnyVersion& version : versions) bytes += 32 + version.value.size();
  out.reserve(bytes);
  out.push_back(static_cast<char>(kFormat));
  AppendVarint(&out, context.size());
  for (const VersionVector::Entry& entry : context.entries()) {
    AppendFixed64(&out, entry.incarnation);
    AppendVarint(&out, entry.counter);
  }
  AppendVarint(&out, versions.size());
  size_t index = 0;  // versions and context are sorted alike
  for (const AnyVersion& version : versions) {
    while (context.entries()[index].incarnation != version.dot.incarnation) ++index;
    AppendVarint(&out, index);
    AppendVarint(&out, version.dot.counter);
    out.push_back(static_cast<char>(version.tombstone ? kTombstoneFlag : 0));
    AppendVarint(&out, static_cast<uint64_t>(version.wall_us));
    AppendBytes(&out, version.value);
  }
  return out;
}

// One dot should name one version. Should two replicas ever disagree on it, merging takes
// the same one everywhere, or they would repair each other for ever.
template <typename AnyVersion>
const AnyVersion& SameChoice(const AnyVersion& a, const AnyVersion& b) {
  return std::tie(a.wall_us, a.tombstone, a.value) < std::tie(b.wall_us, b.tombstone, b.value) ? b
                                                                                               : a;
}

// Keeps what both have, and what the other side has not seen.
template <typename AnyVersion>
std::vector<AnyVersion> MergeVersions(const std::vector<AnyVersion>& a,
                                      const VersionVector& a_context,
                                      const std::vector<AnyVersion>& b,
                                      const VersionVector& b_context) {
  std::vector<AnyVersion> merged;
  merged.reserve(a.size() + b.size());
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() || right != b.end()) {
    if (right == b.end() || (left != a.end() && left->dot < right->dot)) {
      if (!b_context.Covers(left->dot)) merged.push_back(*left);
      ++left;
    } else if (left == a.end() || right->dot < left->dot) {
      if (!a_context.Covers(right->dot)) merged.push_back(*right);
      ++right;
    } else {
      merged.push_back(SameChoice(*left, *right));
      ++left;
      ++right;
    }
  }
  return merged;
}

// Puts a version under a fresh dot in place of those that `base` covers.
template <typename AnyVersion>
void PutVersion(AnyVersion&& version, const VersionVector& base, VersionVector* context,
                std::vector<std::decay_t<AnyVersion>>* versions) {
  // A dot that was seen before would be swallowed by contexts that know the first use.
  CORE_CHECK(!context->Covers(version.dot) && !base.Covers(version.dot));
  const auto covered = [&base](const auto& old) { return base.Covers(old.dot); };
  versions->erase(std::remove_if(versions->begin(), versions->end(), covered), versions->end());
  context->Join(base);
  context->Add(version.dot);
  const auto at = std::lower_bound(versions->begin(), versions->end(), version.dot,
                                   [](const auto& old, const Dot& dot) { return old.dot < dot; });
  versions->insert(at, std::forward<AnyVersion>(version));
}

}  // namespace

bool RecordView::Parse(absl::string_view bytes, RecordView* view) {
  if (bytes.empty()) return true;
  ByteReader reader(bytes);
  if (reader.ReadByte() != kFormat) return false;
  const uint64_t entries = reader.ReadVarintUpTo(reader.rest().size());
  if (reader.failed() || entries == 0) return false;
  for (uint64_t i = 0; i < entries; ++i) {
    const Incarnation incarnation = reader.ReadFixed64();
    const uint64_t counter = reader.ReadVarint();
    if (reader.failed() || !view->context.AppendSorted(incarnation, counter)) return false;
  }
  const uint64_t versions = reader.ReadVarintUpTo(reader.rest().size() / kVersionBytesMin);
  view->versions.reserve(versions);
  for (uint64_t i = 0; i < versions; ++i) {
    VersionView version;
    const uint64_t index = reader.ReadVarintUpTo(entries - 1);
    version.dot.counter = reader.ReadVarint();
    const uint8_t flags = reader.ReadByte();
    version.wall_us = static_cast<int64_t>(reader.ReadVarint());
    version.value = reader.ReadBytes();
    if (reader.failed() || flags > kTombstoneFlag) return false;
    const VersionVector::Entry& entry = view->context.entries()[index];
    version.dot.incarnation = entry.incarnation;
    version.tombstone = (flags & kTombstoneFlag) != 0;
    if (version.dot.counter == 0 || version.dot.counter > entry.counter) return false;
    if (version.tombstone && !version.value.empty()) return false;
    if (!view->versions.empty() && !(view->versions.back().dot < version.dot)) return false;
    view->versions.push_back(version);
  }
  return reader.Done();
}

std::string RecordView::Encode() const { return EncodeParts(context, versions); }

void RecordView::Put(const VersionView& version, const VersionVector& base) {
  PutVersion(VersionView(version), base, &context, &versions);
}

bool Record::Decode(absl::string_view bytes, Record* record) {
  *record = Record();
  RecordView view;
  if (!RecordView::Parse(bytes, &view)) return false;
  record->context_ = std::move(view.context);
  record->versions_.reserve(view.versions.size());
  for (const VersionView& version : view.versions) {
    record->versions_.push_back(
        {version.dot, version.wall_us, version.tombstone, std::string(version.value)});
  }
  return true;
}

bool Record::IsCanonical(absl::string_view bytes) {
  RecordView view;
  return RecordView::Parse(bytes, &view);
}

std::string Record::Encode() const { return EncodeParts(context_, versions_); }

void Record::Merge(const Record& other) {
  versions_ = MergeVersions(versions_, context_, other.versions_, other.context_);
  context_.Join(other.context_);
}

void Record::Put(Version version, const VersionVector& context) {
  PutVersion(std::move(version), context, &context_, &versions_);
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
  RecordView left;
  RecordView right;
  if (!RecordView::Parse(a, &left) || !RecordView::Parse(b, &right)) return false;
  const std::vector<VersionView> versions =
      MergeVersions(left.versions, left.context, right.versions, right.context);
  left.context.Join(right.context);
  *merged = EncodeParts(left.context, versions);
  return true;
}

bool IsCoveredBy(absl::string_view a, absl::string_view b) {
  if (a == b || a.empty()) return true;
  if (b.empty()) return false;
  RecordView left;
  RecordView right;
  if (!RecordView::Parse(a, &left) || !RecordView::Parse(b, &right)) return false;
  return right.context.CoversAll(left.context) &&
         MergeVersions(left.versions, left.context, right.versions, right.context) ==
             right.versions;
}

bool HasSeenBeyond(absl::string_view record, const Dot& newest) {
  if (record.empty()) return false;
  ByteReader reader(record);
  if (reader.ReadByte() != kFormat) return false;
  for (uint64_t left = reader.ReadVarintUpTo(reader.rest().size()); left > 0; --left) {
    const Incarnation incarnation = reader.ReadFixed64();
    const uint64_t counter = reader.ReadVarint();
    if (reader.failed() || incarnation > newest.incarnation) return false;  // sorted
    if (incarnation == newest.incarnation) return counter > newest.counter;
  }
  return false;
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
