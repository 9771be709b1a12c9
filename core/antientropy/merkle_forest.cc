#include "core/antientropy/merkle_forest.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"

namespace norn {

namespace {

constexpr uint8_t kSaveFormat = 0x01;
constexpr char kSaveSlot[] = "merkle";
constexpr int64_t kRetryUs = 1'000'000;  // a page that could not be read
constexpr int64_t kSaveRarer = 12;    // two saves are at least so many times tree_save_after apart
constexpr uint64_t kScrubShare = 16;  // a scrub reads so much slower than a build

}  // namespace

MerkleForest::MerkleForest(NodeContext& node)
    : node_(node),
      build_throttle_(node.options.tree_scan_bytes_per_second),
      scrub_throttle_(
          std::max<uint64_t>(node.options.tree_scan_bytes_per_second / kScrubShare, 1)) {}

void MerkleForest::Start(StepContext& step, const StoreRecovery& recovery, Generation generation) {
  for (const PartitionId partition : node_.layout.PartitionsOf(node_.self())) {
    if (node_.layout.Replicas(partition).size() > 1) trees_[partition];
  }
  if (trees_.empty()) return;
  sequence_ = recovery.last_sequence;
  if (!Load(recovery.merkle, recovery, generation)) {
    for (auto& [partition, tree] : trees_) {
      tree.tree.reset();
      Queue(partition, tree);
    }
  }
  CountMissing();
  next_us_ = step.now.monotonic_us;
  save_us_ = step.now.monotonic_us + node_.options.tree_save_after_us;
  BeginPass(step);
}

// saved := byte(format) fixed64(generation) fixed64(sequence) fixed64(hasher) varint(#trees)
//          (varint(partition) tree)*
bool MerkleForest::Load(absl::string_view bytes, const StoreRecovery& recovery,
                        Generation generation) {
  if (recovery.created || recovery.doubtful) return false;
  ByteReader reader(bytes);
  if (reader.ReadByte() != kSaveFormat) return false;
  if (reader.ReadFixed64() != generation) return false;
  if (reader.ReadFixed64() != recovery.last_sequence) return false;
  if (reader.ReadFixed64() != node_.hasher.fingerprint()) return false;
  for (uint64_t count = reader.ReadVarint(); count > 0 && !reader.failed(); --count) {
    const uint64_t partition = reader.ReadVarintUpTo(node_.layout.partitions() - 1);
    MerkleTree tree = MerkleTree::ReadFrom(&reader);
    const auto it = trees_.find(static_cast<PartitionId>(partition));
    if (it == trees_.end()) return false;
    it->second.tree = std::move(tree);
  }
  const auto is_there = [](const auto& it) { return it.second.tree.has_value(); };
  return reader.Done() && std::all_of(trees_.begin(), trees_.end(), is_there);
}

const MerkleTree* MerkleForest::Find(PartitionId partition) const {
  const auto it = trees_.find(partition);
  return it == trees_.end() || !it->second.tree.has_value() ? nullptr : &*it->second.tree;
}

bool MerkleForest::IsDamaged(PartitionId partition) const {
  const auto it = trees_.find(partition);
  return it != trees_.end() && it->second.damaged;
}

void MerkleForest::Queue(PartitionId partition, Tree& tree) {
  if (std::exchange(tree.queued, true)) return;
  to_build_.push_back(partition);
}

void MerkleForest::Forget(PartitionId partition) {
  const auto it = trees_.find(partition);
  if (it == trees_.end()) return;
  it->second.tree.reset();
  it->second.damaged = false;
  it->second.forgotten = true;
  CountMissing();
  if (!pass_.has_value() || pass_->partition != partition) return;
  pass_.reset();
  page_id_ = 0;  // its page is of no use any more
  next_us_ = to_build_.empty() ? kNever : 0;
}

void MerkleForest::Rebuild(StepContext& step, PartitionId partition) {
  const auto it = trees_.find(partition);
  if (it == trees_.end()) return;
  it->second.forgotten = false;
  Queue(partition, it->second);
  next_us_ = std::min(next_us_, step.now.monotonic_us);
}

StoreSlot MerkleForest::NoSave(StoreTicket ticket) const {
  StoreSlot slot;
  slot.ticket = ticket;
  slot.name = kSaveSlot;
  return slot;
}

void MerkleForest::OnChange(StepContext& step, const RecordChange& change) {
  const auto it = trees_.find(change.partition);
  sequence_ = std::max(sequence_, change.sequence);
  changed_since_save_ = true;
  last_change_us_ = step.now.monotonic_us;
  if (save_us_ == kNever) save_us_ = last_change_us_ + node_.options.tree_save_after_us;
  if (it == trees_.end()) return;
  const Position position = PositionOf(change.key);
  Tree& tree = it->second;
  if (tree.tree.has_value()) {
    tree.tree->Apply(position, change.before, change.after);
    if (tree.tree->TooFull(node_.options.tree_bucket_keys) && !tree.queued) {
      Queue(change.partition, tree);
      next_us_ = std::min(next_us_, step.now.monotonic_us);
    }
  }
  if (pass_.has_value() && pass_->partition == change.partition &&
      CursorOf(change.key) < pass_->scanned_to) {
    pass_->leaves.Apply(position, change.before, change.after);
  }
}

void MerkleForest::CountMissing() {
  const auto is_missing = [](const auto& it) { return !it.second.tree.has_value(); };
  node_.status.trees_building =
      static_cast<uint64_t>(std::count_if(trees_.begin(), trees_.end(), is_missing));
}

// ---- Passes -------------------------------------------------------------------------

void MerkleForest::BeginPass(StepContext& step) {
  if (pass_.has_value() || trees_.empty()) return;
  const bool scrub = to_build_.empty();
  auto it = trees_.lower_bound(scrub ? scrub_next_ : to_build_.front());
  if (scrub) {
    if (it == trees_.end()) it = trees_.begin();
    scrub_next_ = static_cast<PartitionId>(it->first + 1);
  } else {
    to_build_.pop_front();
    it->second.queued = false;
  }
  if (it->second.forgotten) {  // another one's turn
    next_us_ = step.now.monotonic_us + kRetryUs;
    return;
  }
  pass_ = Pass();  // not emplace(): clang 16 takes a nested class for not constructible there
  pass_->partition = it->first;
  pass_->is_scrub = scrub;
  ScanPage(step);
}

void MerkleForest::ScanPage(StepContext& step) {
  next_us_ = kNever;
  page_id_ = ++next_id_;
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kTree, page_id_);
  scan.partition = pass_->partition;
  scan.from = pass_->scanned_to;
  scan.entries_max = node_.options.exchange_page_entries;
  if (Forced(node_.options.rare, RareBranch::kTreeScanOfOne)) scan.entries_max = 1;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

void MerkleForest::OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply) {
  if (id == page_id_) {
    OnPage(step, std::move(reply));
  } else if (id == save_id_) {
    OnSaved(reply);
  }
}

void MerkleForest::OnPage(StepContext& step, StoreReply&& reply) {
  page_id_ = 0;
  if (!reply.status.ok() && !absl::IsDataLoss(reply.status)) {
    next_us_ = step.now.monotonic_us + kRetryUs;
    return;
  }
  Pass& pass = *pass_;
  pass.damaged = pass.damaged || !reply.status.ok();
  size_t bytes = 0;
  for (const KeyRecord& entry : reply.entries) {
    const RecordHash hash = node_.hasher.Hash(entry.key, entry.record);
    pass.leaves.Apply(PositionOf(entry.key), RecordHash(), hash);
    bytes += entry.key.size() + entry.record.size();
  }
  node_.status.tree_scanned_bytes += bytes;
  ByteThrottle& throttle = pass.is_scrub ? scrub_throttle_ : build_throttle_;
  throttle.Take(step.now.monotonic_us, bytes);
  if (reply.next.empty()) {
    EndPass(step);
    return;
  }
  pass.scanned_to = std::move(reply.next);
  if (node_.status.draining) return;
  if (throttle.free_us() > step.now.monotonic_us) {
    next_us_ = throttle.free_us();
  } else {
    ScanPage(step);
  }
}

void MerkleForest::EndPass(StepContext& step) {
  Pass& pass = *pass_;
  Tree& tree = trees_.at(pass.partition);
  const uint64_t differ =
      tree.tree.has_value() ? tree.tree->CountDifferent(MerkleTree(tree.tree->depth(), pass.leaves))
                            : 0;
  if (pass.damaged) {
    step.Note(Note::Level::kError,
              absl::StrCat("partition ", pass.partition,
                           ": some of its records cannot be read (see the storage's damaged "
                           "tables): other replicas have to mend them"));
  } else if (differ > 0 && !tree.damaged) {
    ++node_.status.tree_mismatches;
    step.Note(Note::Level::kError,
              absl::StrCat("partition ", pass.partition, ": the records in ", differ,
                           " buckets of its Merkle tree are not those that were written (damage "
                           "that no checksum shows, or a bug): the tree is rebuilt, and the "
                           "partition compared with its other replicas"));
  }
  const int depth = MerkleTree::DepthFor(pass.leaves.keys(), node_.options.tree_bucket_keys);
  tree.tree.emplace(depth, pass.leaves);
  tree.damaged = pass.damaged;
  ++(pass.is_scrub ? node_.status.tree_scrubs : node_.status.tree_builds);
  pass_.reset();
  CountMissing();
  const int64_t now_us = step.now.monotonic_us;
  if (node_.status.draining) return;
  if (!to_build_.empty()) {
    next_us_ = std::max(now_us, build_throttle_.free_us());
  } else if (node_.options.tree_scrub_interval_us > 0) {
    next_us_ = std::max(now_us + node_.options.tree_scrub_interval_us, scrub_throttle_.free_us());
  }
}

void MerkleForest::OnTimer(StepContext& step, bool store_idle) {
  const int64_t now_us = step.now.monotonic_us;
  if (page_id_ == 0 && next_us_ <= now_us) {
    if (pass_.has_value()) {
      ScanPage(step);
    } else {
      next_us_ = kNever;
      BeginPass(step);
    }
  }
  if (save_us_ > now_us) return;
  const int64_t due_us =
      std::max(last_change_us_ + node_.options.tree_save_after_us, save_from_us_);
  if (save_ != SaveState::kNone) {
    save_us_ = kNever;
  } else if (due_us > now_us) {
    save_us_ = due_us;
  } else if (!store_idle || !CanSave()) {
    save_us_ = now_us + node_.options.tree_save_after_us;
  } else {
    Save(step, SaveState::kSaving);
  }
}

int64_t MerkleForest::NextDeadline() const {
  return std::min(page_id_ == 0 ? next_us_ : kNever, save_us_);
}

// ---- Saving -------------------------------------------------------------------------

void MerkleForest::Save(StepContext& step, SaveState state) {
  save_ = state;
  save_us_ = kNever;
  save_from_us_ = step.now.monotonic_us + kSaveRarer * node_.options.tree_save_after_us;
  changed_since_save_ = false;
  save_id_ = ++next_id_;
  StoreSlot slot;
  slot.ticket = MakeTicket(TicketKind::kTree, save_id_);
  slot.name = kSaveSlot;
  slot.bytes.push_back(static_cast<char>(kSaveFormat));
  AppendFixed64(&slot.bytes, node_.generation);
  AppendFixed64(&slot.bytes, sequence_);
  AppendFixed64(&slot.bytes, node_.hasher.fingerprint());
  AppendVarint(&slot.bytes, trees_.size());
  for (const auto& [partition, tree] : trees_) {
    AppendVarint(&slot.bytes, partition);
    tree.tree->AppendTo(&slot.bytes);
  }
  step.out.store.emplace_back(std::move(slot));
}

void MerkleForest::OnSaved(const StoreReply& reply) {
  save_id_ = 0;
  // One that failed is of no use to the next start, and does no harm: it will rebuild.
  if (save_ == SaveState::kLast) {
    save_ = SaveState::kDone;
    return;
  }
  save_ = SaveState::kNone;
  if (!reply.status.ok() || changed_since_save_)
    save_us_ = last_change_us_ + node_.options.tree_save_after_us;
}

void MerkleForest::SaveForGood(StepContext& step) {
  if (save_ == SaveState::kLast || save_ == SaveState::kDone) return;
  if (!CanSave()) {
    save_ = SaveState::kDone;
    return;
  }
  Save(step, SaveState::kLast);
}

bool MerkleForest::CanSave() const {
  const auto is_whole = [](const auto& it) {
    return it.second.tree.has_value() && !it.second.damaged;
  };
  return node_.generation != 0 && !trees_.empty() &&
         std::all_of(trees_.begin(), trees_.end(), is_whole);
}

}  // namespace norn
