#include "core/replication/hint_record.h"

#include <algorithm>

#include "core/causality/record.h"
#include "core/check.h"
#include "core/coding.h"
#include "core/replication/record_ops.h"

namespace norn {

namespace {

constexpr uint8_t kFormat = 0x68;

absl::Status Damaged() { return absl::DataLossError("the stored bytes are not a hint"); }

// `record`, kept for those of `hint` and for `owner`.
std::string EncodeFor(const HintView& hint, NodeId owner, absl::string_view record) {
  CORE_CHECK(owner != kNoNode);
  HintView next;
  next.owners = hint.owners;
  next.record = record;
  if (!next.IsFor(owner)) {
    next.owners.insert(std::lower_bound(next.owners.begin(), next.owners.end(), owner), owner);
  }
  return next.Encode();
}

}  // namespace

bool HintView::Parse(absl::string_view bytes, HintView* view) {
  *view = HintView();
  if (bytes.empty()) return true;
  ByteReader reader(bytes);
  if (reader.ReadByte() != kFormat) return false;
  const uint64_t owners = reader.ReadVarintUpTo(reader.rest().size());
  for (uint64_t i = 0; i < owners && !reader.failed(); ++i) {
    const auto owner = static_cast<NodeId>(reader.ReadVarintUpTo(UINT16_MAX));
    const NodeId last = view->owners.empty() ? kNoNode : view->owners.back();
    if (owner <= last) reader.Fail();
    view->owners.push_back(owner);
  }
  view->record = reader.rest();
  return !reader.failed() && owners > 0 && !view->record.empty();
}

std::string HintView::Encode() const {
  std::string out;
  if (owners.empty()) return out;
  out.reserve(2 + owners.size() * 3 + record.size());
  out.push_back(static_cast<char>(kFormat));
  AppendVarint(&out, owners.size());
  for (const NodeId owner : owners) AppendVarint(&out, owner);
  out.append(record.data(), record.size());
  return out;
}

bool HintView::IsFor(NodeId owner) const {
  return std::binary_search(owners.begin(), owners.end(), owner);
}

absl::Status ApplyHintMerge(const HintMergeOp& op, absl::string_view current, std::string* next) {
  HintView hint;
  if (!HintView::Parse(current, &hint)) return Damaged();
  std::string record;
  if (absl::Status status = ApplyMerge(MergeOp{op.record, {}}, hint.record, &record);
      !status.ok()) {
    return status;
  }
  if (record.empty()) return absl::InvalidArgumentError("a hint without a record");
  *next = EncodeFor(hint, op.owner, record);
  return absl::OkStatus();
}

absl::Status ApplyHintMint(const HintMintOp& op, absl::string_view current, std::string* next) {
  HintView hint;
  if (!HintView::Parse(current, &hint)) return Damaged();
  std::string record;
  if (absl::Status status = ApplyMint(op.mint, hint.record, &record); !status.ok()) return status;
  *next = EncodeFor(hint, op.owner, record);
  return absl::OkStatus();
}

absl::Status ApplyHintRemove(const HintRemoveOp& op, absl::string_view current, std::string* next) {
  HintView hint;
  if (!HintView::Parse(current, &hint)) return Damaged();
  next->assign(current.data(), current.size());
  if (!hint.IsFor(op.owner)) return absl::OkStatus();  // it went before
  const HintRemoveOp now = MakeHintRemoveOp(op.owner, hint.record);
  if (now.hash != op.hash) {
    return absl::AbortedError("the hint has changed since it was handed over");
  }
  hint.owners.erase(std::find(hint.owners.begin(), hint.owners.end(), op.owner));
  *next = hint.Encode();
  return absl::OkStatus();
}

HintRemoveOp MakeHintRemoveOp(NodeId owner, absl::string_view record) {
  return HintRemoveOp{owner, HashOf(record)};
}

}  // namespace norn
