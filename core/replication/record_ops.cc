#include "core/replication/record_ops.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/replication/hint_record.h"

namespace norn {

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
  };
  return std::visit(Visitor{current, next}, op);
}

}  // namespace norn
