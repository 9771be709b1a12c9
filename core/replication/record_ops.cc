#include "core/replication/record_ops.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/pruning.h"
#include "core/causality/record.h"
#include "core/replication/hint_record.h"
#include "xxhash.h"

namespace norn {

absl::Status ApplyMerge(const MergeOp& op, absl::string_view current, std::string* next) {
  // A first copy is taken as it is, so it must be looked into: what is stored is canonical.
  const bool refused = current.empty() && !Record::IsCanonical(op.record);
  if (refused || !MergeEncoded(current, op.record, next)) {
    return absl::DataLossError("merge: not a canonical record");
  }
  return absl::OkStatus();
}

// The timestamp of the new version, by the hybrid logical clock.
absl::Status DateVersion(const MintOp& op, const RecordView& record, int64_t* wall_us) {
  *wall_us = op.wall_us;
  if (!op.last_writer_wins && !record.last_writer_wins) return absl::OkStatus();
  int64_t newest_us = record.NewestWallUs();
  if (op.base == ClientRequest::Base::kToken) newest_us = std::max(newest_us, op.context_wall_us);
  if (newest_us < op.wall_us) return absl::OkStatus();
  if (newest_us - op.max_clock_skew_us > op.wall_us) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the key's newest version is dated ", (newest_us - op.wall_us) / 1000,
        " ms ahead of this replica's clock, the limit is ", op.max_clock_skew_us / 1000,
        " (max_clock_skew): correct the clocks, or wait; the last writer would not win"));
  }
  *wall_us = newest_us + 1;
  return absl::OkStatus();
}

// `entries`: of the context before. What makes a record smaller is always taken, or one
// that merging has carried past a limit could not be mended.
absl::Status CheckLimits(const MintOp& op, const RecordView& record, size_t entries) {
  if (record.versions.size() > op.siblings_max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the key would hold ", record.versions.size(), " concurrent versions, the limit is ",
        op.siblings_max, ": read it, and write the resolved value back with the read's context"));
  }
  if (record.context.size() > op.context_entries_max && record.context.size() > entries) {
    return absl::InvalidArgumentError(
        absl::StrCat("the key's context would have ", record.context.size(),
                     " entries, the limit is ", op.context_entries_max,
                     " (context_entries_max): too many incarnations of its replicas have written "
                     "it; raise the limit"));
  }
  return absl::OkStatus();
}

absl::Status ApplyMint(const MintOp& op, absl::string_view current, std::string* next) {
  RecordView record;
  if (!RecordView::Parse(current, &record)) {
    return absl::DataLossError("mint: the stored bytes are not a canonical record");
  }
  const size_t entries = record.context.size();
  VersionVector base;
  if (op.base == ClientRequest::Base::kCurrent) base = record.context;
  if (op.base == ClientRequest::Base::kToken) base = op.context;
  if (record.context.Covers(op.dot) || base.Covers(op.dot)) {
    return absl::AbortedError(
        absl::StrCat("mint: dot ", ToString(op.dot), " was seen before: its incarnation is over"));
  }
  VersionView version;
  if (absl::Status status = DateVersion(op, record, &version.wall_us); !status.ok()) return status;
  version.dot = op.dot;
  version.tombstone = op.tombstone;
  version.value = op.value;
  version.expires_us = op.tombstone ? 0 : op.expires_us;
  record.last_writer_wins |= op.last_writer_wins;
  record.Put(version, base, op.prune_entries_above == 0 ? 0 : op.wall_us);
  if (op.prune_entries_above != 0) PruneOldestEntries(op.prune_entries_above, &record);
  if (absl::Status status = CheckLimits(op, record, entries); !status.ok()) return status;
  std::string encoded = record.Encode();
  if (encoded.size() > op.record_bytes_max && encoded.size() > current.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the key's record would have ", encoded.size(), " bytes with its ", record.versions.size(),
        " concurrent versions, the limit is ", op.record_bytes_max,
        " (record_bytes_max): read it, and write the resolved value back with the "
        "read's context"));
  }
  *next = std::move(encoded);
  return absl::OkStatus();
}

absl::Status ApplyOp(const RecordOp& op, absl::string_view current, std::string* next) {
  struct Visitor {
    absl::string_view current;
    std::string* next;
    absl::Status operator()(const MergeOp& o) const { return ApplyMerge(o, current, next); }
    absl::Status operator()(const MintOp& o) const { return ApplyMint(o, current, next); }
    absl::Status operator()(const HintMergeOp& o) const { return ApplyHintMerge(o, current, next); }
    absl::Status operator()(const HintMintOp& o) const { return ApplyHintMint(o, current, next); }
    absl::Status operator()(const HintRemoveOp& o) const {
      return ApplyHintRemove(o, current, next);
    }
    absl::Status operator()(const RemoveOp& o) const {
      next->clear();
      if (!(HashOf(current) == o.hash)) next->assign(current.data(), current.size());
      return absl::OkStatus();
    }
  };
  return std::visit(Visitor{current, next}, op);
}

RecordHash HashOf(absl::string_view record) {
  if (record.empty()) return RecordHash{};
  const XXH128_hash_t hash = XXH3_128bits(record.data(), record.size());
  return RecordHash{hash.high64, hash.low64};
}

Incarnation ForgottenBy(const RecordOp& op) {
  const MergeOp* const merge = std::get_if<MergeOp>(&op);
  if (merge == nullptr || merge->own.incarnation == 0) return 0;
  return HasSeenBeyond(merge->record, merge->own) ? merge->own.incarnation : 0;
}

}  // namespace norn
