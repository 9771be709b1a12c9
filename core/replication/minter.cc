#include "core/replication/minter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"

namespace norn {

namespace {

constexpr uint8_t kFormat = 0x01;
constexpr int64_t kRetryAfterUs = 1'000'000;

}  // namespace

void Minter::Start(StepContext& step, const StoreRecovery& recovery) {
  for (const PartitionId partition : node_.layout.PartitionsOf(node_.self())) {
    Lease lease;
    lease.partition = partition;
    index_.Add(lease.partition);
    leases_.push_back(lease);
  }
  const bool decoded = Decode(recovery.lease);
  lease_found_ = decoded;
  if (!decoded || recovery.doubtful) {
    if (!recovery.created) {
      step.Note(Note::Level::kWarning,
                decoded ? "the store may have lost writes: new incarnations in every partition"
                        : "the lease is missing or damaged: new incarnations in every partition");
    }
    for (Lease& lease : leases_) Begin(lease);
  }
  for (Lease& lease : leases_) {
    if (lease.incarnation == 0) Begin(lease);  // held since a change of the configuration
    lease.used = lease.limit;
    lease.wanted = lease.limit + node_.options.lease_counters;
  }
  WriteSlot(step);
}

bool Minter::TryMint(StepContext& step, PartitionId partition, Dot* dot) {
  Lease* const lease = Find(partition);
  CORE_CHECK(lease != nullptr);  // only replicas mint
  const bool minted = lease->used < lease->limit;
  if (minted) {
    dot->incarnation = lease->incarnation;
    dot->counter = ++lease->used;
    ++node_.status.dots_minted;
  }
  // Ask for more in good time: at half a lease nobody waits.
  const uint64_t left = lease->limit - lease->used;
  const bool late = left > 0 && left <= node_.options.lease_counters / 2 &&
                    Forced(node_.options.rare, RareBranch::kLateLease);
  if (left <= node_.options.lease_counters / 2 && !late) Extend(step, *lease);
  return minted;
}

void Minter::Retire(StepContext& step, PartitionId partition, Incarnation incarnation) {
  Lease* const lease = Find(partition);
  CORE_CHECK(lease != nullptr);
  if (lease->incarnation != incarnation) return;
  step.Note(
      Note::Level::kWarning,
      absl::StrCat("partition ", partition, ": a dot of ours was seen before: new incarnation"));
  retired_.push_back(partition);
  Renew(step, partition);
}

void Minter::Renew(StepContext& step, PartitionId partition) {
  Lease* const lease = Find(partition);
  CORE_CHECK(lease != nullptr);
  Begin(*lease);
  lease->wanted = node_.options.lease_counters;
  if (!writing_) WriteSlot(step);
}

bool Minter::IsLeased(PartitionId partition) const {
  const Lease* const lease = Find(partition);
  CORE_CHECK(lease != nullptr);
  return lease->limit > 0;
}

bool Minter::OnStoreReply(StepContext& step, const StoreReply& reply) {
  CORE_CHECK(writing_);
  writing_ = false;
  if (!reply.status.ok()) {
    step.Note(Note::Level::kError, absl::StrCat("the lease cannot be made durable, writes wait: ",
                                                absl::string_view(reply.status.message())));
    retry_us_ = step.now.monotonic_us + kRetryAfterUs;
    return false;
  }
  ready_ = true;
  bool more = false;
  for (Lease& lease : leases_) {
    lease.limit = std::max(lease.limit, lease.writing);
    lease.writing = 0;
    more |= lease.wanted > lease.limit;
  }
  if (more) WriteSlot(step);
  return true;
}

void Minter::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < retry_us_) return;
  retry_us_ = kNever;
  if (!writing_) WriteSlot(step);
}

Dot Minter::NewestIn(PartitionId partition) const {
  const Lease* const lease = Find(partition);
  CORE_CHECK(lease != nullptr);
  return Dot{lease->incarnation, lease->used};
}

void Minter::RetireAll(StepContext& step) {
  for (Lease& lease : leases_) {
    Begin(lease);
    retired_.push_back(lease.partition);
    lease.wanted = node_.options.lease_counters;
  }
  if (!writing_ && !leases_.empty()) WriteSlot(step);
}

Minter::Lease* Minter::Find(PartitionId partition) {
  return const_cast<Lease*>(std::as_const(*this).Find(partition));
}

const Minter::Lease* Minter::Find(PartitionId partition) const {
  const uint32_t place = index_.Find(partition);
  return place == PartitionIndex::kNone ? nullptr : &leases_[place];
}

void Minter::Begin(Lease& lease) {
  lease.incarnation = MakeIncarnation(node_.self(), node_.random.Next64());
  lease.used = 0;
  lease.limit = 0;
  lease.writing = 0;
  ++node_.status.incarnations;
}

void Minter::Extend(StepContext& step, Lease& lease) {
  lease.wanted = std::max(lease.wanted, lease.limit + node_.options.lease_counters);
  if (!writing_ && retry_us_ == kNever) WriteSlot(step);
}

void Minter::WriteSlot(StepContext& step) {
  StoreSlot slot;
  slot.ticket = MakeTicket(TicketKind::kLease, 0);
  slot.name = "lease";
  slot.bytes.push_back(static_cast<char>(kFormat));
  AppendVarint(&slot.bytes, leases_.size());
  for (Lease& lease : leases_) {
    lease.writing = std::max(lease.limit, lease.wanted);
    AppendVarint(&slot.bytes, lease.partition);
    AppendFixed64(&slot.bytes, lease.incarnation);
    AppendVarint(&slot.bytes, lease.writing);
  }
  writing_ = true;
  step.out.store.emplace_back(std::move(slot));
}

bool Minter::Decode(absl::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.ReadByte() != kFormat) return false;
  const uint64_t count = reader.ReadVarintUpTo(bytes.size());
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    const uint64_t partition = reader.ReadVarintUpTo(UINT16_MAX);
    const Incarnation incarnation = reader.ReadFixed64();
    const uint64_t limit = reader.ReadVarint();
    if (reader.failed()) return false;
    Lease* const lease = Find(static_cast<PartitionId>(partition));
    if (lease == nullptr) continue;  // no longer held
    lease->incarnation = incarnation;
    lease->limit = limit;
  }
  return reader.Done();
}

}  // namespace norn
