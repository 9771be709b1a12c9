#include "core/replication/record_ops.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"

namespace norn {

namespace {

absl::Status ApplyMerge(const MergeOp& op, absl::string_view current, std::string* next) {
  // A first copy is taken as it is, so it must be looked into: what is stored is canonical.
  const bool refused = current.empty() && !Record::IsCanonical(op.record);
  if (refused || !MergeEncoded(current, op.record, next)) {
    return absl::DataLossError("merge: not a canonical record");
  }
  return absl::OkStatus();
}

absl::Status ApplyMint(const MintOp& op, absl::string_view current, std::string* next) {
  RecordView record;
  if (!RecordView::Parse(current, &record)) {
    return absl::DataLossError("mint: the stored bytes are not a canonical record");
  }
  VersionVector base;
  if (op.base == ClientRequest::Base::kCurrent) base = record.context;
  if (op.base == ClientRequest::Base::kToken) base = op.context;
  if (record.context.Covers(op.dot) || base.Covers(op.dot)) {
    return absl::AbortedError(
        absl::StrCat("mint: dot ", ToString(op.dot), " was seen before: its incarnation is over"));
  }
  VersionView version;
  version.dot = op.dot;
  version.wall_us = op.wall_us;
  version.tombstone = op.tombstone;
  version.value = op.value;
  record.Put(version, base);
  if (record.versions.size() > op.siblings_max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the key would hold ", record.versions.size(), " concurrent versions, the limit is ",
        op.siblings_max, ": read it, and write the resolved value back with the read's context"));
  }
  *next = record.Encode();
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyOp(const RecordOp& op, absl::string_view current, std::string* next) {
  if (const MergeOp* merge = std::get_if<MergeOp>(&op)) return ApplyMerge(*merge, current, next);
  return ApplyMint(std::get<MintOp>(op), current, next);
}

Incarnation ForgottenBy(const RecordOp& op) {
  const MergeOp* const merge = std::get_if<MergeOp>(&op);
  if (merge == nullptr || merge->own.incarnation == 0) return 0;
  return HasSeenBeyond(merge->record, merge->own) ? merge->own.incarnation : 0;
}

}  // namespace norn
