#include "core/antientropy/exchange.h"

#include <algorithm>
#include <utility>

#include "core/antientropy/exchange_parts.h"
#include "core/check.h"

namespace norn {

namespace {

constexpr int64_t kUrgentSpeedup = 20;       // urgent exchanges pause so much less
constexpr int64_t kSettleUs = 100'000;       // until buckets that differ are looked at again
constexpr int kLevelsPerStep = 4;            // 16 children a round trip
constexpr size_t kSumsMax = 512;             // of one message
constexpr size_t kRangesMax = 1024;          // known before the first of them is compared
constexpr int kAttempts = 3;                 // at an answer
constexpr int kRefusalsMax = 20;             // of a page by our own store
constexpr int64_t kDebtUs = 10'000;          // of the throttle: below it nothing pauses
constexpr int64_t kRefusalPauseUs = 50'000;  // longer each time

}  // namespace

void Exchange::Start(StepContext& step) {
  if (!agenda_.Start()) return;
  next_us_ = step.now.monotonic_us + node_.random.Between(1, node_.options.exchange_interval_us);
}

uint64_t Exchange::Demand(StepContext& step, PartitionId partition, NodeId peer) {
  // Nor wait for a routine exchange until what differs has settled.
  if (phase_ == Phase::kIdle || (phase_ == Phase::kPaused && !task_.urgent)) {
    next_us_ = std::min(next_us_, step.now.monotonic_us);
  } else if (!task_.urgent && (phase_ == Phase::kComparing || phase_ == Phase::kOffered)) {
    attempts_ = kAttempts;  // or for an answer that may be lost: the routine comes again
    next_us_ = step.now.monotonic_us;
  }
  return agenda_.Demand(partition, peer);
}

void Exchange::Charge(StepContext& step, size_t bytes) {
  node_.status.exchange_bytes += bytes;
  throttle_.Take(step.now.monotonic_us, bytes);
}

void Exchange::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < next_us_) return;
  const bool again = ++attempts_ < kAttempts;
  switch (phase_) {
    case Phase::kIdle:
      Begin(step);
      return;
    case Phase::kPaused:
      Advance(step);
      return;
    case Phase::kComparing:
      frontier_.insert(frontier_.end(), asked_.begin(), asked_.end());
      break;
    case Phase::kOffered:
      break;
    case Phase::kScanning:
    case Phase::kMerging:
      return;  // our own store answers, sooner or later
  }
  if (again) {
    Advance(step);
  } else {
    Abandon(step);  // what was merged stays merged
  }
}

void Exchange::Begin(StepContext& step) {
  failed_.clear();
  incomplete_.clear();
  frontier_.clear();
  doubtful_.clear();
  ranges_.clear();
  range_open_ = false;
  attempts_ = 0;
  if (node_.status.draining || !agenda_.Next(step.now.monotonic_us, &task_)) {
    task_ = ExchangeTask();
    End(step);
    return;
  }
  settled_ = task_.urgent;
  std::vector<PartitionId> taken;
  for (const PartitionId partition : task_.partitions) {
    if (node_.epochs.IsSuspect(partition)) {
      failed_.insert(partition);
      taken.push_back(partition);
      continue;
    }
    if (forest_.Find(partition) != nullptr) {
      frontier_.push_back({partition, kTreeRoot});
    } else if (task_.without_trees) {
      AddRange({partition, kTreeRoot});
    } else {
      continue;
    }
    taken.push_back(partition);
  }
  task_.partitions = std::move(taken);
  Advance(step);
}

// Takes the next step of the exchange under way.
void Exchange::Advance(StepContext& step) {
  if (node_.status.draining) {
    Abandon(step);
    return;
  }
  if (throttle_.DebtUs(step.now.monotonic_us) > kDebtUs) {
    Pause(throttle_.free_us());
    return;
  }
  while (true) {
    if (!range_open_ && !ranges_.empty() && (frontier_.empty() || ranges_.size() >= kRangesMax)) {
      OpenRange();
    }
    if (range_open_) {
      ScanPage(step);
      return;
    }
    if (frontier_.empty() || doubtful_.size() >= kRangesMax) {
      if (doubtful_.empty()) break;
      settled_ = true;
      frontier_.insert(frontier_.end(), doubtful_.begin(), doubtful_.end());
      doubtful_.clear();
      Pause(step.now.monotonic_us + std::min(kSettleUs, node_.options.exchange_interval_us));
      return;
    }
    if (SendSums(step)) return;
  }
  End(step);
}

void Exchange::Pause(int64_t until_us) {
  phase_ = Phase::kPaused;
  next_us_ = until_us;
}

// ---- Trees --------------------------------------------------------------------------

// False: none of what there was to compare is in our tree any more.
bool Exchange::SendSums(StepContext& step) {
  const size_t count = std::min(kSumsMax, frontier_.size());
  asked_.clear();
  TreeCompare compare;
  for (auto place = frontier_.end() - static_cast<std::ptrdiff_t>(count); place != frontier_.end();
       ++place) {
    const MerkleTree* const tree = forest_.Find(place->partition);
    // It may have been forgotten meanwhile, to be built anew: then all keys are compared.
    if (tree == nullptr || DepthOf(place->node) > tree->depth()) {
      AddRange(*place);
      continue;
    }
    const RecordHash sum = tree->Sum(place->node);
    compare.sums.push_back({place->partition, place->node, sum.high, sum.low});
    asked_.push_back(*place);
  }
  frontier_.resize(frontier_.size() - count);
  if (asked_.empty()) return false;
  phase_ = Phase::kComparing;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  request_ = node_.NextRequestId();
  compare.request = request_;
  compare.layout = node_.layout.version();
  Charge(step, BytesOf(compare));
  step.Send(task_.peer, std::move(compare));
  return true;
}

void Exchange::OnTreeAnswer(StepContext& step, NodeId from, const TreeAnswer& answer) {
  if (phase_ != Phase::kComparing || answer.request != request_ || from != task_.peer) return;
  if (answer.status != ReplicaStatus::kOk) {
    Abandon(step);
    return;
  }
  attempts_ = 0;
  Charge(step, BytesOf(answer));
  auto finding = answer.findings.begin();
  for (size_t i = 0; i < asked_.size(); ++i) {
    while (finding != answer.findings.end() && finding->index < i) ++finding;
    const bool said = finding != answer.findings.end() && finding->index == i;
    if (said) TakeFinding(asked_[i], *finding);
    const bool equal = !said || !(finding->differs || finding->unknown);
    if (equal && asked_[i].node == kTreeRoot) ++node_.status.exchange_roots_equal;
  }
  Advance(step);
}

void Exchange::TakeFinding(const Place& place, const TreeFinding& finding) {
  // Equal or not, it cannot tell all that it should hold.
  if (finding.damaged) failed_.insert(place.partition);
  if (finding.incomplete) incomplete_.insert(place.partition);
  if (finding.unknown) {
    if (task_.without_trees) {
      AddRange(place);
    } else {
      failed_.insert(place.partition);
    }
    return;
  }
  const MerkleTree* const tree = forest_.Find(place.partition);
  if (tree == nullptr) {  // forgotten meanwhile: what it said was not true, perhaps
    AddRange(place);
    return;
  }
  if (!finding.differs) return;
  const int depth = DepthOf(place.node);
  const int deepest =
      std::min(tree->depth(),
               static_cast<int>(std::min(finding.depth, static_cast<uint32_t>(kTreeDepthMax))));
  if (depth < deepest) {
    const int levels = std::min(kLevelsPerStep, deepest - depth);
    const TreeNode first = FirstBelow(place.node, levels);
    for (TreeNode child = first; child < first + (TreeNode{1} << levels); ++child) {
      frontier_.push_back({place.partition, child});
    }
  } else if (settled_) {
    AddRange(place);
  } else {
    doubtful_.push_back(place);
  }
}

void Exchange::AddRange(const Place& place) {
  const Range range{place.partition, FirstPosition(place.node), EndPosition(place.node)};
  if (!ranges_.empty() && ranges_.back().partition == range.partition &&
      ranges_.back().end == range.first) {
    ranges_.back().end = range.end;
  } else {
    ranges_.push_back(range);
  }
}

// ---- Keys ---------------------------------------------------------------------------

void Exchange::OpenRange() {
  const Range range = ranges_.front();
  ranges_.pop_front();
  range_open_ = true;
  partition_ = range.partition;
  from_ = CursorAt(range.first);
  to_ = CursorAt(range.end);
  ++node_.status.exchange_ranges;
}

void Exchange::ScanPage(StepContext& step) {
  phase_ = Phase::kScanning;
  next_us_ = kNever;
  scan_id_ = ++next_id_;
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kExchange, scan_id_);
  scan.partition = partition_;
  scan.from = from_;
  scan.to = to_;
  scan.entries_max = node_.options.exchange_page_entries;
  if (Forced(node_.options.rare, RareBranch::kExchangeOfOne)) scan.entries_max = 1;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

void Exchange::OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply) {
  if (id == scan_id_ && phase_ == Phase::kScanning) {
    OnScanned(step, std::move(reply));
  } else {
    OnMergedOrRead(step, id, std::move(reply));
  }
}

void Exchange::OnScanned(StepContext& step, StoreReply&& reply) {
  if (!reply.status.ok()) {
    // The damage is named elsewhere. Behind it there may be what can be mended.
    failed_.insert(partition_);
    const bool goes_on = absl::IsDataLoss(reply.status) && reply.next > from_;
    if (goes_on) {
      from_ = std::move(reply.next);
      Advance(step);
    } else {
      FailRange(step);
    }
    return;
  }
  ExchangeOffer offer;
  request_ = node_.NextRequestId();
  offer.request = request_;
  offer.layout = node_.layout.version();
  offer.partition = partition_;
  offer.epoch = node_.epochs.Of(partition_);
  offer.from = from_;
  offer.to = reply.next.empty() ? to_ : std::move(reply.next);
  offered_.clear();
  offer.digests.reserve(reply.entries.size());
  for (KeyRecord& entry : reply.entries) {
    // A bucket with fewer replicas may leave the peer out.
    if (!node_.IsReplicaOf(task_.peer, entry.key, partition_)) continue;
    const RecordHash hash = node_.hasher.Hash(entry.key, entry.record);
    offer.digests.push_back(KeyDigest(hash.high, hash.low, request_));
    offered_.push_back(std::move(entry.key));
  }
  phase_ = Phase::kOffered;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  Charge(step, BytesOf(offer));
  step.Send(task_.peer, std::move(offer));
}

void Exchange::OnAnswer(StepContext& step, NodeId from, ExchangeAnswer&& answer) {
  if (phase_ != Phase::kOffered || answer.request != request_ || from != task_.peer) return;
  if (answer.status != ReplicaStatus::kOk && answer.status != ReplicaStatus::kError) {
    Abandon(step);
    return;
  }
  // An answer that gets nowhere would have us ask for the same page for ever.
  const bool stuck = !answer.covered_to.empty() && answer.covered_to <= from_;
  if (answer.status != ReplicaStatus::kOk || stuck) {
    FailRange(step);
    return;
  }
  phase_ = Phase::kMerging;
  next_us_ = kNever;
  Charge(step, BytesOf(answer));
  if (!answer.complete) incomplete_.insert(partition_);
  covered_to_ = std::move(answer.covered_to);
  page_refused_ = false;
  node_.epochs.Learn(partition_, answer.epoch);
  page_epoch_ = node_.epochs.Of(partition_);
  NoteWanted(answer);
  for (KeyRecord& record : answer.records) {
    const uint64_t id = ++next_id_;
    if (SubmitMerge(node_, minter_, step, MakeTicket(TicketKind::kExchange, id), partition_,
                    answer.epoch, std::move(record))) {
      merging_.insert(id);
      ++node_.status.exchange_records;
    } else {
      failed_.insert(partition_);
    }
  }
  // The store keeps the order per key: these reads see the merges.
  for (const auto& [id, wanted] : wanted_) {
    StoreRead read;
    read.ticket = MakeTicket(TicketKind::kExchange, id);
    read.partition = partition_;
    read.key = wanted.key;
    step.out.store.emplace_back(std::move(read));
  }
  if (merging_.empty() && wanted_.empty()) EndPage(step);
}

// Decides what is to be read for the peer, before its records are merged.
void Exchange::NoteWanted(const ExchangeAnswer& answer) {
  std::map<absl::string_view, RecordHash> theirs;
  for (const KeyRecord& record : answer.records) {
    if (answer.wanted.empty()) break;
    theirs[record.key] = node_.hasher.Hash(record.key, record.record);
  }
  for (const uint32_t index : answer.wanted) {
    if (index >= offered_.size()) continue;
    std::string& key = offered_[index];
    if (!covered_to_.empty() && CursorOf(key) >= covered_to_) continue;
    const auto sent = theirs.find(key);
    Wanted& wanted = wanted_[++next_id_];
    if (sent != theirs.end()) wanted.theirs = sent->second;
    wanted.key = key;
  }
}

void Exchange::OnMergedOrRead(StepContext& step, uint64_t id, StoreReply&& reply) {
  if (phase_ != Phase::kMerging) return;  // of an exchange that was given up
  const auto wanted = wanted_.find(id);
  if (wanted == wanted_.end() && merging_.count(id) == 0) return;
  if (absl::IsResourceExhausted(reply.status)) {
    page_refused_ = true;
  } else if (!reply.status.ok()) {
    failed_.insert(partition_);
  }
  merging_.erase(id);
  if (wanted != wanted_.end()) {
    std::string& key = wanted->second.key;
    // What it has sent may be all there is to know, now that it is merged here.
    const bool knows_more = reply.status.ok() && !reply.record.empty() &&
                            !(node_.hasher.Hash(key, reply.record) == wanted->second.theirs);
    if (knows_more) {
      outgoing_bytes_ += key.size() + reply.record.size();
      outgoing_.records.push_back({std::move(key), std::move(reply.record)});
    }
    wanted_.erase(wanted);
    if (outgoing_bytes_ >= node_.options.exchange_page_bytes) SendWanted(step);
  }
  if (merging_.empty() && wanted_.empty()) EndPage(step);
}

void Exchange::SendWanted(StepContext& step) {
  if (outgoing_.records.empty()) return;
  node_.status.exchange_records += outgoing_.records.size();
  outgoing_.layout = node_.layout.version();
  outgoing_.partition = partition_;
  outgoing_.epoch = page_epoch_;
  if (node_.epochs.IsSuspect(partition_)) outgoing_.records.clear();
  Charge(step, BytesOf(outgoing_));
  step.Send(task_.peer, std::exchange(outgoing_, {}));
  outgoing_bytes_ = 0;
}

void Exchange::EndPage(StepContext& step) {
  SendWanted(step);
  if (page_refused_) {  // our store is behind: the same page again, when it has had some time
    if (++attempts_ < kRefusalsMax) {
      Pause(step.now.monotonic_us + attempts_ * kRefusalPauseUs);
    } else {
      FailRange(step);
    }
    return;
  }
  attempts_ = 0;
  from_ = covered_to_;
  range_open_ = !from_.empty() && (to_.empty() || from_ < to_);
  Advance(step);
}

void Exchange::FailRange(StepContext& step) {
  failed_.insert(partition_);
  range_open_ = false;
  attempts_ = 0;
  Advance(step);
}

// ---- The end ------------------------------------------------------------------------

void Exchange::Abandon(StepContext& step) {
  failed_.insert(task_.partitions.begin(), task_.partitions.end());
  End(step);
}

void Exchange::End(StepContext& step) {
  phase_ = Phase::kIdle;
  merging_.clear();
  wanted_.clear();
  outgoing_ = {};
  outgoing_bytes_ = 0;
  node_.status.exchanges += task_.partitions.size() - failed_.size();
  node_.status.exchanges_failed += failed_.size();
  const int64_t now_us = step.now.monotonic_us;
  agenda_.Finish(now_us, task_, failed_, incomplete_);
  task_ = ExchangeTask();
  const int64_t interval_us = node_.options.exchange_interval_us;
  const int64_t soon_us = now_us + std::max(interval_us / kUrgentSpeedup, int64_t{1});
  next_us_ = std::min(now_us + interval_us, std::max(soon_us, agenda_.UrgentFrom()));
  // Whoever demands waits.
  if (agenda_.HasDemands() && !node_.status.draining) next_us_ = now_us;
}

}  // namespace norn
