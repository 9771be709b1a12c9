#include "core/replication/hint_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/check.h"
#include "core/replication/hint_record.h"

namespace norn {

namespace {

constexpr int64_t kRescanAfterUs = 10'000'000;

ReplicaStatus StatusOf(const absl::Status& status) {
  if (status.ok()) return ReplicaStatus::kOk;
  return absl::IsResourceExhausted(status) ? ReplicaStatus::kOverloaded : ReplicaStatus::kError;
}

}  // namespace

int64_t NewestWall(absl::string_view record) {
  RecordView view;
  if (!RecordView::Parse(record, &view)) return 0;
  int64_t newest = 0;
  for (const VersionView& version : view.versions) newest = std::max(newest, version.wall_us);
  return newest;
}

HintMachine::HintMachine(NodeContext& node)
    : node_(node),
      index_(node.options.hint_bytes_max,
             [&node](const std::string& key) { return node.layout.PartitionOf(key); }),
      minter_(node) {}

void HintMachine::Start(StepContext& step) { Scan(step, std::string()); }

void HintMachine::Scan(StepContext& step, std::string from) {
  scan_from_ = std::move(from);
  const uint64_t id = ++next_id_;
  pending_[id] = Pending{};
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kHint, id);
  scan.partition = kHintSpace;
  scan.from = scan_from_;
  scan.entries_max = node_.options.exchange_page_entries;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

void HintMachine::OnScanned(StepContext& step, const StoreReply& reply) {
  if (!reply.status.ok()) {
    if (!std::exchange(unread_, true)) {
      step.Note(Note::Level::kError,
                absl::StrCat("hints cannot be read, so that some are not handed over ",
                             ready_ ? "" : "and new ones are refused ",
                             "as yet: ", absl::string_view(reply.status.message())));
    }
    if (reply.next.empty()) {
      rescan_us_ = step.now.monotonic_us + kRescanAfterUs;
      return;
    }
  }
  for (const KeyRecord& entry : reply.entries) {
    HintView hint;
    if (!HintView::Parse(entry.record, &hint)) {
      step.Note(Note::Level::kError, absl::StrCat("the hint of key \"", ClientKeyOf(entry.key),
                                                  "\" is damaged: it is not handed over"));
      damaged_ = true;
      continue;
    }
    for (const NodeId owner : hint.owners) {
      if (index_.WritesOf({owner, entry.key}) > 0) continue;  // another look, that went well
      index_.Found({owner, entry.key}, hint.record.size(), NewestWall(hint.record));
    }
  }
  if (!reply.next.empty()) {
    Scan(step, reply.next);
    return;
  }
  all_found_ |= !unread_ && !damaged_;
  damaged_ = false;
  // What could not be read may be readable later: it may count toward a W.
  if (std::exchange(unread_, false)) {
    scan_from_.clear();
    rescan_us_ = step.now.monotonic_us + kRescanAfterUs;
  }
  if (!std::exchange(ready_, true) && !index_.empty()) {
    step.Note(Note::Level::kInfo,
              absl::StrCat("found ", index_.count(), " hints of an earlier life to hand over"));
  }
}

void HintMachine::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < rescan_us_) return;
  rescan_us_ = kNever;
  Scan(step, scan_from_);
}

bool HintMachine::KeepsNothingOf(PartitionId partition) const {
  return all_found_ && index_.CountOf(partition) == 0;
}

ReplicaStatus HintMachine::Admit(uint64_t layout, PartitionId partition, absl::string_view key,
                                 NodeId owner) const {
  if (layout != node_.layout.version() || partition >= node_.layout.partitions() ||
      node_.layout.PartitionOf(key) != partition || !node_.IsReplicaOf(owner, key, partition)) {
    return ReplicaStatus::kWrongLayout;
  }
  const BucketConfig* const bucket = node_.FindBucket(BucketOf(key));
  if (bucket == nullptr || !bucket->sloppy || node_.IsReplicaOf(node_.self(), key, partition)) {
    return ReplicaStatus::kRefused;
  }
  if (!ready_ || !node_.stand_in_epochs.Serves(partition) ||
      in_flight_ >= 2 * node_.options.requests_in_flight_max ||
      Forced(node_.options.rare, RareBranch::kStandInRefuses)) {
    return ReplicaStatus::kOverloaded;
  }
  return ReplicaStatus::kOk;
}

bool HintMachine::Submit(StepContext& step, Pending&& pending, uint64_t record_bytes,
                         RecordOp&& op) {
  // A new hint takes its key and some more; one that is there only grows.
  pending.admitted_bytes = record_bytes;
  if (index_.WritesOf(pending.place) == 0) {
    pending.admitted_bytes += HintIndex::kOverheadBytes + pending.place.second.size();
  }
  const bool serves = node_.stand_in_epochs.Serves(node_.layout.PartitionOf(pending.place.second));
  if (!ready_ || !serves || !index_.Admit(pending.place, pending.admitted_bytes)) {
    ++node_.status.hints_refused;
    return false;
  }
  const uint64_t id = ++next_id_;
  StoreUpdate update;
  update.ticket = MakeTicket(TicketKind::kHint, id);
  update.partition = kHintSpace;
  update.key = pending.place.second;
  update.op = std::move(op);
  update.record_wanted = true;
  step.out.store.emplace_back(std::move(update));
  pending_[id] = std::move(pending);
  return true;
}

void HintMachine::OnWrite(StepContext& step, NodeId from, ReplicaWrite&& write) {
  ReplicaStatus admitted = Admit(write.layout, write.partition, write.key, write.hint_for);
  const uint64_t epoch = node_.stand_in_epochs.Of(write.partition);
  if (admitted == ReplicaStatus::kOk && write.epoch < epoch) {
    step.Send(from, ReplicaWriteReply{write.request, ReplicaStatus::kStale, 0, {}, epoch});
    return;
  }
  if (admitted == ReplicaStatus::kOk) {
    Pending pending;
    pending.purpose = Purpose::kWrite;
    pending.from = from;
    pending.request = write.request;
    pending.place = {write.hint_for, std::move(write.key)};
    const uint64_t bytes = write.record.size();
    if (Submit(step, std::move(pending), bytes,
               HintMergeOp{write.hint_for, std::move(write.record)})) {
      ++in_flight_;
      return;
    }
    admitted = ReplicaStatus::kOverloaded;
  }
  step.Send(from, ReplicaWriteReply{write.request, admitted, 0, {}});
}

bool HintMachine::Mint(StepContext& step, NodeId owner, const std::string& key, MintOp&& mint,
                       RequestId put) {
  Pending pending;
  pending.purpose = Purpose::kMint;
  pending.request = put;
  pending.place = {owner, key};
  const uint64_t bytes = mint.value.size() + mint.context.size() * 16 + HintIndex::kOverheadBytes;
  return Submit(step, std::move(pending), bytes, HintMintOp{owner, std::move(mint)});
}

void HintMachine::SubmitRead(StepContext& step, Pending&& pending, const std::string& key) {
  const uint64_t id = ++next_id_;
  pending.epoch = node_.stand_in_epochs.Of(node_.layout.PartitionOf(key));
  pending_[id] = std::move(pending);
  StoreRead read;
  read.ticket = MakeTicket(TicketKind::kHint, id);
  read.partition = kHintSpace;
  read.key = key;
  step.out.store.emplace_back(std::move(read));
}

void HintMachine::OnRead(StepContext& step, NodeId from, ReplicaRead&& read) {
  node_.stand_in_epochs.LearnFloor(read.partition, read.epoch);
  const ReplicaStatus admitted = Admit(read.layout, read.partition, read.key, read.hint_for);
  if (admitted != ReplicaStatus::kOk) {
    step.Send(from, ReplicaReadReply{read.request, admitted, {}, 0, {}});
    return;
  }
  ++in_flight_;
  SubmitRead(step, Pending{Purpose::kRead, from, read.request, {}, 0, 0}, read.key);
}

void HintMachine::Read(StepContext& step, const std::string& key, RequestId get, uint64_t floor) {
  node_.stand_in_epochs.LearnFloor(node_.layout.PartitionOf(key), floor);
  SubmitRead(step, Pending{Purpose::kOwnRead, kNoNode, get, {}, 0, 0}, key);
}

// What is in doubt is taken for stored: if it is not, handing over finds nothing.
void HintMachine::Settle(const Pending& pending, const StoreReply& reply) {
  if (!reply.applied) {
    index_.Refused(pending.place, pending.admitted_bytes);
    return;
  }
  const uint64_t bytes = reply.status.ok() ? reply.record.size() : pending.admitted_bytes;
  index_.Stored(pending.place, pending.admitted_bytes, bytes, NewestWall(reply.record));
}

HintMachine::Answered HintMachine::OnStoreReply(StepContext& step, uint64_t id,
                                                StoreReply&& reply) {
  const auto it = pending_.find(id);
  CORE_CHECK(it != pending_.end());
  const Pending pending = std::move(it->second);
  pending_.erase(it);
  if (pending.purpose == Purpose::kScan) {
    OnScanned(step, reply);
    return Answered();
  }
  HintView hint;
  if (reply.status.ok() && !HintView::Parse(reply.record, &hint)) {
    reply.status = absl::DataLossError("the stored bytes are not a hint");
  }
  reply.record = std::string(hint.record);
  if (pending.purpose == Purpose::kWrite || pending.purpose == Purpose::kMint) {
    Settle(pending, reply);
  }
  switch (pending.purpose) {
    case Purpose::kScan:
      break;
    case Purpose::kWrite:
      --in_flight_;
      if (reply.status.ok()) ++node_.status.hints_taken;
      step.Send(pending.from, ReplicaWriteReply{pending.request, StatusOf(reply.status), 0, {}});
      break;
    case Purpose::kRead:
      --in_flight_;
      step.Send(pending.from, ReplicaReadReply{pending.request,
                                               StatusOf(reply.status),
                                               std::move(reply.record),
                                               0,
                                               {},
                                               pending.epoch});
      break;
    case Purpose::kMint:
      if (reply.status.ok()) ++node_.status.hints_taken;
      return Answered{Answered::Kind::kPut, pending.request, 0, std::move(reply)};
    case Purpose::kOwnRead:
      return Answered{Answered::Kind::kGet, pending.request, pending.epoch, std::move(reply)};
  }
  return Answered();
}

}  // namespace norn
