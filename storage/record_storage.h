// The core's Storage port on top of the engine: record functions under per-key latches,
// and replies that wait until what they tell is durable.
//
// Invariants:
//   * updates of one key take effect in the order they were submitted; a key whose block
//     is being fetched holds its later requests back (the latch), and nobody else's;
//   * a reply that was derived from a record leaves only when durable_sequence() has
//     reached the record's sequence (also a read: what was seen must survive a crash);
//   * an update over a record that cannot be read fails, unless it is a merge that says it may
//     take the place of what was there (StoreUpdate::over_damage);
//   * replies leave in the order of the sequences that they wait for, those of one sequence
//     in the order in which they were made. A scan waits for the newest sequence it shows, so
//     its reply leaves after those of all changes that it shows, and before those of its keys'
//     later changes, which wait for later sequences;
//   * what is damaged can be excised by those who know better (StoreExcise): the reply leaves when
//     that is durable, and nothing that was cached of it is left by then;
//   * once the engine is poisoned, requests whose record is not durable answer
//     kUnavailable, `applied` set where memory had taken the write: in doubt for ever;
//   * while flushes and compactions lag, replies to updates leave a little later
//     (write_debt.h), so that writers slow down before they are refused.
//
// The world's part, on the host's thread, after each host.Deliver() and each
// engine.Finish():  Pump(now); while PopReply(&r) host.Deliver(r); start NextJob()s. And again at
// NextDue(), and at that of the engine.

#ifndef NORN_STORAGE_RECORD_STORAGE_H_
#define NORN_STORAGE_RECORD_STORAGE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/causality/record_hasher.h"
#include "core/ports.h"
#include "core/ring/position.h"
#include "core/store.h"
#include "storage/delayed_replies.h"
#include "storage/engine.h"
#include "storage/record_cache.h"
#include "storage/waiting_replies.h"

namespace norn::storage {

// Of the engine's keys: the partition's number. What EngineOptions::group_prefix_bytes is to be.
inline constexpr size_t kPartitionPrefixBytes = 2;

// Keys in the engine: the partition's number, big-endian, then the record key's position in
// it, big-endian, then the record key (core/ring/position.h). So a partition is one contiguous
// range, and so is every range of positions in it.
std::string MakeEngineKey(PartitionId partition, absl::string_view record_key);
inline constexpr size_t kEngineKeyPrefixBytes = sizeof(PartitionId) + kPositionBytes;
// The partition of such a key, which may be kHintSpace.
PartitionId PartitionIn(absl::string_view engine_key);

// The slot whose loss has a node begin new incarnations: it is to be removed from a directory that
// was restored from an older copy by other means than a checkpoint.
inline constexpr char kLeaseSlot[] = "lease";

class RecordStorage : public norn::Storage {
 public:
  // The engine outlives this. `hasher` is the cluster's: changes are reported as its hashes.
  // `cache_bytes` of records are kept at hand, above the engine. `rare` may be null.
  RecordStorage(Engine& engine, const RecordHasher& hasher, size_t cache_bytes = 0,
                RareBranches* rare = nullptr);
  ~RecordStorage() override;

  void Submit(StoreRequest&& request) override;

  // Takes up what finished jobs, and the time, made possible, and tells the engine the time.
  // `now_us` never goes back.
  void Pump(int64_t now_us);
  // When the next reply may leave that is held back; kNever: none is.
  int64_t NextDue() const { return delayed_.NextDue(); }
  // Replies that have been held back.
  uint64_t delayed() const { return delayed_total_; }
  // The next reply that may leave, in order; false: none.
  bool PopReply(StoreReply* reply);

  const RecordCache& cache() const { return cache_; }

 private:
  // Whether a request could be decided, or waits for a block.
  enum class Progress { kDone, kNeedsRead };

  // An update or a read. (Scans and slots meet no latch.)
  struct Pending {
    PartitionId partition = 0;
    std::string key;  // in the engine
    StoreTicket ticket = 0;
    std::optional<norn::RecordOp> op;  // an update's
    bool record_wanted = false;
    bool over_damage = false;
    std::shared_ptr<PendingRead> read;
  };

  void Enter(Pending&& pending);
  Progress TryRun(Pending& pending);
  // These take what they need out of `pending`. `rewrites`: the record goes back even if the
  // update leaves it as it is, because the disk has lost it.
  Progress Decide(Pending& pending, absl::string_view record, uint64_t sequence,
                  bool rewrites = false);
  void RunUpdate(Pending& pending, absl::string_view record, uint64_t sequence, bool rewrites);
  void Resume(const PendingRead* read);
  void RunScan(const StoreScan& scan);
  void TellDamage(const StoreDamage& damage);
  void RunExcise(const StoreExcise& excise);
  void FinishExcisions();
  void Release(StoreReply&& reply, uint64_t sequence);

  Engine& engine_;
  RareBranches* const rare_;
  const RecordHasher hasher_;
  RecordCache cache_;  // not asked once the engine is poisoned
  // Latched keys: the front request waits for a block, the others for the front.
  std::map<std::string, std::deque<Pending>, std::less<>> latched_;
  // Replies by the sequence that must become durable before they may leave.
  WaitingReplies waiting_;
  DelayedReplies delayed_;  // durable
  uint64_t delayed_total_ = 0;
  std::deque<StoreReply> ready_;
  std::string scratch_;  // the record that an update makes
  std::optional<StoreTicket> lease_ticket_;
  // Asked of the engine, and not durable yet.
  struct Excision {
    StoreTicket ticket = 0;
    std::string from;  // in the engine
    std::string to;
    uint64_t sequence = 0;
  };
  std::vector<Excision> excising_;
  bool recovery_acknowledged_ = false;
};

// What the node is told at its start.
norn::StoreRecovery MakeStoreRecovery(const Engine& engine, const RecoveryReport& report);

}  // namespace norn::storage

#endif  // NORN_STORAGE_RECORD_STORAGE_H_
