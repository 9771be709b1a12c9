#include "core/antientropy/exchange_server.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/antientropy/exchange_parts.h"

namespace norn {

namespace {

constexpr size_t kIncomingMax = 16;        // offers served at once
constexpr int64_t kDebtMaxUs = 1'000'000;  // of the throttle: beyond it offers are refused
constexpr StoreTicket kNobody = 0;         // of merges that nobody waits for

}  // namespace

bool ExchangeServer::Holds(PartitionId partition) const {
  return partition < node_.layout.partitions() && node_.layout.IsReplica(partition, node_.self());
}

void ExchangeServer::Charge(StepContext& step, size_t bytes) {
  node_.status.exchange_bytes += bytes;
  throttle_.Take(step.now.monotonic_us, bytes);
}

void ExchangeServer::OnCompare(StepContext& step, NodeId from, const TreeCompare& compare) {
  TreeAnswer answer;
  answer.request = compare.request;
  answer.status = ReplicaStatus::kOk;
  if (compare.layout != node_.layout.version()) answer.status = ReplicaStatus::kWrongLayout;
  for (size_t i = 0; i < compare.sums.size() && answer.status == ReplicaStatus::kOk; ++i) {
    const TreeSum& sum = compare.sums[i];
    const bool is_node = sum.node >= kTreeRoot && sum.node < kTreeNodesEnd;
    if (!Holds(sum.partition) || !is_node) {
      answer.findings.clear();
      answer.status = ReplicaStatus::kWrongLayout;
      break;
    }
    TreeFinding finding;
    finding.index = static_cast<uint32_t>(i);
    const MerkleTree* const tree = forest_.Find(sum.partition);
    finding.unknown = tree == nullptr;
    finding.damaged = forest_.IsDamaged(sum.partition);
    finding.incomplete = !is_complete_(sum.partition, "", "");
    if (tree != nullptr) {
      finding.depth = static_cast<uint32_t>(tree->depth());
      finding.differs = DepthOf(sum.node) > tree->depth() ||
                        !(tree->Sum(sum.node) == RecordHash{sum.high, sum.low});
    }
    if (finding.differs || finding.unknown || finding.damaged || finding.incomplete) {
      answer.findings.push_back(finding);
    }
  }
  Charge(step, BytesOf(compare) + BytesOf(answer));
  step.Send(from, std::move(answer));
}

void ExchangeServer::OnOffer(StepContext& step, NodeId from, ExchangeOffer&& offer) {
  ExchangeAnswer refusal;
  refusal.request = offer.request;
  refusal.partition = offer.partition;
  if (offer.layout != node_.layout.version() || !Holds(offer.partition)) {
    refusal.status = ReplicaStatus::kWrongLayout;
    step.Send(from, std::move(refusal));
    return;
  }
  if (incoming_.size() >= kIncomingMax || throttle_.DebtUs(step.now.monotonic_us) > kDebtMaxUs) {
    refusal.status = ReplicaStatus::kOverloaded;
    step.Send(from, std::move(refusal));
    return;
  }
  if (node_.epochs.IsSuspect(offer.partition)) {  // what we have may have been removed elsewhere
    refusal.status = ReplicaStatus::kError;
    step.Send(from, std::move(refusal));
    return;
  }
  node_.epochs.Learn(offer.partition, offer.epoch);
  Charge(step, BytesOf(offer));
  const uint64_t id = ++next_id_;
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kExchangeServe, id);
  scan.partition = offer.partition;
  scan.from = offer.from;
  scan.to = offer.to;
  scan.entries_max = 2 * node_.options.exchange_page_entries;
  scan.bytes_max = 2 * node_.options.exchange_page_bytes;
  const bool complete = is_complete_(offer.partition, offer.from, offer.to);
  const uint64_t epoch = node_.epochs.Of(offer.partition);
  incoming_[id] = Incoming{from, std::move(offer), complete, epoch};
  step.out.store.emplace_back(std::move(scan));
}

void ExchangeServer::OnStoreReply(StepContext& step, uint64_t id, const StoreReply& reply) {
  const auto it = incoming_.find(id);
  if (it == incoming_.end()) return;
  const Incoming incoming = std::move(it->second);
  incoming_.erase(it);
  AnswerOffer(step, incoming, reply);
}

// Tells what of the scan the initiator does not hold exactly so, until the answer is full, and
// what it offered that was not met.
void ExchangeServer::AnswerOffer(StepContext& step, const Incoming& incoming,
                                 const StoreReply& scan) {
  const ExchangeOffer& offer = incoming.offer;
  ExchangeAnswer answer;
  answer.request = offer.request;
  answer.partition = offer.partition;
  answer.epoch = incoming.epoch;
  if (!scan.status.ok() || node_.epochs.IsSuspect(offer.partition)) {
    answer.status = ReplicaStatus::kError;
    step.Send(incoming.from, std::move(answer));
    return;
  }
  answer.status = ReplicaStatus::kOk;
  answer.complete = incoming.complete && is_complete_(offer.partition, offer.from, offer.to);
  answer.covered_to = scan.next.empty() ? offer.to : scan.next;
  std::vector<std::pair<uint64_t, uint32_t>> offered;  // and where
  offered.reserve(offer.digests.size());
  for (const uint64_t digest : offer.digests) {
    offered.emplace_back(digest, static_cast<uint32_t>(offered.size()));
  }
  std::sort(offered.begin(), offered.end());
  std::vector<bool> met(offered.size());
  size_t bytes = 0;
  for (const KeyRecord& mine : scan.entries) {
    const RecordHash hash = node_.hasher.Hash(mine.key, mine.record);
    const std::pair<uint64_t, uint32_t> digest(KeyDigest(hash.high, hash.low, offer.request), 0);
    const auto same = std::lower_bound(offered.begin(), offered.end(), digest);
    if (same != offered.end() && same->first == digest.first) {
      met[same->second] = true;
      continue;
    }
    // A bucket with fewer replicas may leave the initiator out.
    if (!node_.IsReplicaOf(incoming.from, mine.key, offer.partition)) continue;
    if (bytes >= node_.options.exchange_page_bytes) {
      answer.covered_to = CursorOf(mine.key);
      break;
    }
    bytes += mine.key.size() + mine.record.size();
    answer.records.push_back(mine);
    ++node_.status.exchange_records;
  }
  // Also what the initiator has otherwise: it may know more.
  for (uint32_t i = 0; i < met.size(); ++i) {
    if (!met[i]) answer.wanted.push_back(i);
  }
  Charge(step, BytesOf(answer));
  step.Send(incoming.from, std::move(answer));
}

void ExchangeServer::OnRecords(StepContext& step, NodeId /*from*/, ExchangeRecords&& records) {
  if (records.layout != node_.layout.version() || !Holds(records.partition)) return;
  node_.epochs.Learn(records.partition, records.epoch);
  Charge(step, BytesOf(records));
  for (KeyRecord& record : records.records) {
    if (SubmitMerge(node_, minter_, step, kNobody, records.partition, records.epoch,
                    std::move(record))) {
      ++node_.status.exchange_records;
    }
  }
}

}  // namespace norn
