#include "core/causality/record.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"

namespace norn {

namespace {

constexpr uint8_t kFormat = 0x01;
constexpr uint8_t kFormatLastWriterWins = 0x02;
constexpr uint8_t kFormatTimes = 0x04;
constexpr uint8_t kFormatBits = kFormat | kFormatLastWriterWins | kFormatTimes;
constexpr uint8_t kTombstoneFlag = 0x01;
constexpr uint8_t kExpiresFlag = 0x02;

// The least a version takes: index, counter, flags, time, length of the value.
constexpr size_t kVersionBytesMin = 5;

template <typename AnyVersion>
std::string EncodeParts(bool last_writer_wins, const VersionVector& context,
                        const std::vector<AnyVersion>& versions) {
  std::string out;
  if (context.empty()) return out;
  const bool times = std::any_of(context.entries().begin(), context.entries().end(),
                                 [](const auto& entry) { return entry.minted_us != 0; });
  size_t bytes = 16 + context.size() * (8 + 2 * kVarintBytesMax);
  for (const AnyVersion& version : versions) bytes += 32 + version.value.size();
  out.reserve(bytes);
  out.push_back(static_cast<char>(kFormat | (last_writer_wins ? kFormatLastWriterWins : 0) |
                                  (times ? kFormatTimes : 0)));
  AppendVarint(&out, context.size());
  for (const VersionVector::Entry& entry : context.entries()) {
    AppendFixed64(&out, entry.incarnation);
    AppendVarint(&out, entry.counter);
    if (times) AppendVarint(&out, static_cast<uint64_t>(entry.minted_us));
  }
  AppendVarint(&out, versions.size());
  size_t index = 0;  // versions and context are sorted alike
  for (const AnyVersion& version : versions) {
    while (context.entries()[index].incarnation != version.dot.incarnation) ++index;
    AppendVarint(&out, index);
    AppendVarint(&out, version.dot.counter);
    out.push_back(static_cast<char>((version.tombstone ? kTombstoneFlag : 0) |
                                    (version.expires_us != 0 ? kExpiresFlag : 0)));
    AppendVarint(&out, static_cast<uint64_t>(version.wall_us));
    if (version.expires_us != 0) AppendVarint(&out, static_cast<uint64_t>(version.expires_us));
    AppendBytes(&out, version.value);
  }
  return out;
}

// One dot should name one version. Should two replicas ever disagree on it, merging takes
// the same one everywhere, or they would repair each other for ever.
template <typename AnyVersion>
const AnyVersion& SameChoice(const AnyVersion& a, const AnyVersion& b) {
  return std::tie(a.wall_us, a.tombstone, a.expires_us, a.value) <
                 std::tie(b.wall_us, b.tombstone, b.expires_us, b.value)
             ? b
             : a;
}

// The order of a last-writer-wins bucket. The newer timestamp wins; of equal ones, which two
// replicas can mint, the greater dot.
template <typename AnyVersion>
const AnyVersion& Winner(const AnyVersion& a, const AnyVersion& b) {
  if (a.dot == b.dot) return SameChoice(a, b);
  return std::tie(a.wall_us, a.dot) < std::tie(b.wall_us, b.dot) ? b : a;
}

template <typename AnyVersion>
std::vector<AnyVersion> KeepWinner(const std::vector<AnyVersion>& a,
                                   const std::vector<AnyVersion>& b) {
  const AnyVersion* winner = nullptr;
  for (const std::vector<AnyVersion>* const versions : {&a, &b}) {
    for (const AnyVersion& version : *versions) {
      winner = winner == nullptr ? &version : &Winner(*winner, version);
    }
  }
  if (winner == nullptr) return {};
  return {*winner};
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

template <typename AnyVersion>
std::vector<AnyVersion> MergeByPolicy(bool last_writer_wins, const std::vector<AnyVersion>& a,
                                      const VersionVector& a_context,
                                      const std::vector<AnyVersion>& b,
                                      const VersionVector& b_context) {
  return last_writer_wins ? KeepWinner(a, b) : MergeVersions(a, a_context, b, b_context);
}

// Puts a version under a fresh dot in place of those that `base` covers.
template <typename AnyVersion>
void PutVersion(AnyVersion&& version, const VersionVector& base, int64_t minted_us,
                VersionVector* context, std::vector<std::decay_t<AnyVersion>>* versions) {
  // A dot that was seen before would be swallowed by contexts that know the first use.
  CORE_CHECK(!context->Covers(version.dot) && !base.Covers(version.dot));
  const auto covered = [&base](const auto& old) { return base.Covers(old.dot); };
  versions->erase(std::remove_if(versions->begin(), versions->end(), covered), versions->end());
  context->Join(base);
  context->Add(version.dot, minted_us);
  const auto at = std::lower_bound(versions->begin(), versions->end(), version.dot,
                                   [](const auto& old, const Dot& dot) { return old.dot < dot; });
  versions->insert(at, std::forward<AnyVersion>(version));
}

}  // namespace

bool RecordView::Parse(absl::string_view bytes, RecordView* view) {
  if (bytes.empty()) return true;
  ByteReader reader(bytes);
  const uint8_t format = reader.ReadByte();
  if ((format & ~kFormatBits) != 0 || (format & kFormat) == 0) return false;
  const bool times = (format & kFormatTimes) != 0;
  bool any_time = false;
  view->last_writer_wins = (format & kFormatLastWriterWins) != 0;
  const uint64_t entries = reader.ReadVarintUpTo(reader.rest().size());
  if (reader.failed() || entries == 0) return false;
  for (uint64_t i = 0; i < entries; ++i) {
    const Incarnation incarnation = reader.ReadFixed64();
    const uint64_t counter = reader.ReadVarint();
    const int64_t minted_us = times ? static_cast<int64_t>(reader.ReadVarint()) : 0;
    if (reader.failed() || !view->context.AppendSorted(incarnation, counter, minted_us)) {
      return false;
    }
    any_time |= minted_us != 0;
  }
  if (times && !any_time) return false;
  const uint64_t versions = reader.ReadVarintUpTo(reader.rest().size() / kVersionBytesMin);
  view->versions.reserve(versions);
  for (uint64_t i = 0; i < versions; ++i) {
    VersionView version;
    const uint64_t index = reader.ReadVarintUpTo(entries - 1);
    version.dot.counter = reader.ReadVarint();
    const uint8_t flags = reader.ReadByte();
    version.wall_us = static_cast<int64_t>(reader.ReadVarint());
    const bool expires = (flags & kExpiresFlag) != 0;
    version.expires_us = expires ? static_cast<int64_t>(reader.ReadVarint()) : 0;
    version.value = reader.ReadBytes();
    if (reader.failed() || flags > (kTombstoneFlag | kExpiresFlag)) return false;
    if (expires != (version.expires_us > 0)) return false;
    const VersionVector::Entry& entry = view->context.entries()[index];
    version.dot.incarnation = entry.incarnation;
    version.tombstone = (flags & kTombstoneFlag) != 0;
    if (version.dot.counter == 0 || version.dot.counter > entry.counter) return false;
    if (version.tombstone && (expires || !version.value.empty())) return false;
    if (!view->versions.empty() && !(view->versions.back().dot < version.dot)) return false;
    view->versions.push_back(version);
  }
  if (view->last_writer_wins && view->versions.size() != 1) return false;
  return reader.Done();
}

std::string RecordView::Encode() const { return EncodeParts(last_writer_wins, context, versions); }

void RecordView::Put(const VersionView& version, const VersionVector& base, int64_t minted_us) {
  PutVersion(VersionView(version), base, minted_us, &context, &versions);
  if (last_writer_wins) versions = KeepWinner(versions, {});
}

int64_t RecordView::NewestWallUs() const {
  int64_t newest_us = std::numeric_limits<int64_t>::min();
  for (const VersionView& version : versions) newest_us = std::max(newest_us, version.wall_us);
  return newest_us;
}

bool WinsOver(const VersionView& a, const VersionView& b) {
  return std::tie(b.wall_us, b.dot) < std::tie(a.wall_us, a.dot);
}

bool Record::Decode(absl::string_view bytes, Record* record) {
  *record = Record();
  RecordView view;
  if (!RecordView::Parse(bytes, &view)) return false;
  record->last_writer_wins_ = view.last_writer_wins;
  record->context_ = std::move(view.context);
  record->versions_.reserve(view.versions.size());
  for (const VersionView& version : view.versions) {
    record->versions_.push_back({version.dot, version.wall_us, version.tombstone,
                                 std::string(version.value), version.expires_us});
  }
  return true;
}

bool Record::IsCanonical(absl::string_view bytes) {
  RecordView view;
  return RecordView::Parse(bytes, &view);
}

std::string Record::Encode() const { return EncodeParts(last_writer_wins_, context_, versions_); }

void Record::Merge(const Record& other) {
  last_writer_wins_ |= other.last_writer_wins_;
  versions_ =
      MergeByPolicy(last_writer_wins_, versions_, context_, other.versions_, other.context_);
  context_.Join(other.context_);
}

void Record::Put(Version version, const VersionVector& context) {
  PutVersion(std::move(version), context, /*minted_us=*/0, &context_, &versions_);
  if (last_writer_wins_) versions_ = KeepWinner(versions_, {});
}

void Record::MarkLastWriterWins() {
  last_writer_wins_ = true;
  versions_ = KeepWinner(versions_, {});
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
  const bool last_writer_wins = left.last_writer_wins || right.last_writer_wins;
  const std::vector<VersionView> versions =
      MergeByPolicy(last_writer_wins, left.versions, left.context, right.versions, right.context);
  left.context.Join(right.context);
  *merged = EncodeParts(last_writer_wins, left.context, versions);
  return true;
}

bool IsCoveredBy(absl::string_view a, absl::string_view b) {
  if (a == b || a.empty()) return true;
  if (b.empty()) return false;
  RecordView left;
  RecordView right;
  if (!RecordView::Parse(a, &left) || !RecordView::Parse(b, &right)) return false;
  if (!right.context.CoversAll(left.context)) return false;
  const bool last_writer_wins = left.last_writer_wins || right.last_writer_wins;
  if (last_writer_wins != right.last_writer_wins) return false;
  const std::vector<VersionView> merged =
      MergeByPolicy(last_writer_wins, left.versions, left.context, right.versions, right.context);
  if (merged != right.versions) return false;
  left.context.Join(right.context);  // the entries' times
  return left.context == right.context;
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
    if (version.expires_us != 0) absl::StrAppend(&out, " until ", version.expires_us);
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
