#include "core/replication/discarder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/replication/record_ops.h"

namespace norn {

namespace {

constexpr int64_t kRetryAfterUs = 100'000;

}  // namespace

void Discarder::Begin(StepContext& step, PartitionId partition) {
  partitions_.push_back(partition);
  if (partitions_.size() == 1) Next(step);
}

void Discarder::Next(StepContext& step) {
  from_.clear();
  removed_ = 0;
  damaged_ = false;
  if (!partitions_.empty()) ScanPage(step);
}

void Discarder::ScanPage(StepContext& step) {
  scan_id_ = ++next_id_;
  awaited_ = 1;
  refused_ = false;
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kDiscard, scan_id_);
  scan.partition = partitions_.front();
  scan.from = from_;
  scan.entries_max = node_.options.exchange_page_entries;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

std::optional<PartitionId> Discarder::OnStoreReply(StepContext& step, uint64_t id,
                                                   StoreReply&& reply) {
  --awaited_;
  const PartitionId partition = partitions_.front();
  const bool unreadable = absl::IsDataLoss(reply.status);
  damaged_ |= unreadable;
  if (id == damage_id_) {
    damaged_ = false;
    BeginExcising(step, std::move(reply.damaged));
  } else if (id == void_id_) {
    if (reply.status.ok()) Excise(step);
  } else if (id == scan_id_) {
    refused_ = !reply.status.ok() && !unreadable;
    next_ = std::move(reply.next);
    for (KeyRecord& entry : reply.entries) {
      StoreUpdate update;
      update.ticket = MakeTicket(TicketKind::kDiscard, ++next_id_);
      update.partition = partition;
      update.op = RemoveOp{HashOf(entry.record)};
      update.key = std::move(entry.key);
      step.out.store.emplace_back(std::move(update));
      ++awaited_;
    }
  } else if (reply.status.ok()) {
    ++removed_;
  } else {
    refused_ |= !unreadable;
  }
  if (awaited_ > 0) return std::nullopt;
  if (refused_) {
    retry_us_ = step.now.monotonic_us + kRetryAfterUs;
    return std::nullopt;
  }
  if (!next_.empty()) {
    from_ = std::move(next_);
    ScanPage(step);
    return std::nullopt;
  }
  if (damaged_) {
    damage_id_ = ++next_id_;
    awaited_ = 1;
    step.out.store.emplace_back(
        StoreDamage{MakeTicket(TicketKind::kDiscard, damage_id_), node_.layout.partitions()});
    return std::nullopt;
  }
  step.Note(Note::Level::kWarning,
            absl::StrCat("partition ", partition, ": ", removed_,
                         " records were thrown away: they may be older than tombstones that the "
                         "other replicas have removed, and are taken from those anew"));
  forest_.Rebuild(step, partition);
  partitions_.pop_front();
  Next(step);
  return partition;
}

// What the Merkle tree knows of the records that are given up is no longer true: first it is made
// void, also where it is saved.
void Discarder::BeginExcising(StepContext& step, std::vector<DamagedCursors>&& damaged) {
  const PartitionId partition = partitions_.front();
  refused_ = true;  // everything is looked at again: until nothing is damaged, and nothing there
  from_.clear();
  std::erase_if(damaged,
                [partition](const DamagedCursors& range) { return range.partition != partition; });
  if (damaged.empty()) return;
  excised_ = std::move(damaged);
  forest_.Forget(partition);
  void_id_ = ++next_id_;
  step.out.store.emplace_back(forest_.NoSave(MakeTicket(TicketKind::kDiscard, void_id_)));
  ++awaited_;
}

void Discarder::Excise(StepContext& step) {
  for (DamagedCursors& range : std::exchange(excised_, {})) {
    step.out.store.emplace_back(
        StoreExcise{MakeTicket(TicketKind::kDiscard, ++next_id_), std::move(range)});
    ++awaited_;
  }
}

void Discarder::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < retry_us_) return;
  retry_us_ = kNever;
  ScanPage(step);
}

}  // namespace norn
