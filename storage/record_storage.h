// The core's Storage port on top of the engine: record functions under per-key latches,
// and replies that wait until what they tell is durable.
//
// Invariants:
//   * updates of one key take effect in the order they were submitted; a key whose block
//     is being fetched holds its later requests back (the latch), and nobody else's;
//   * a reply that was derived from a record leaves only when durable_sequence() has
//     reached the record's sequence (also a read: what was seen must survive a crash);
//   * once the engine is poisoned, requests whose record is not durable answer
//     kUnavailable, `applied` set where memory had taken the write: in doubt for ever.
//
// The world's part, on the host's thread, after each host.Deliver() and each
// engine.Finish():  Pump(); while PopReply(&r) host.Deliver(r); start NextJob()s.

#ifndef NORN_STORAGE_RECORD_STORAGE_H_
#define NORN_STORAGE_RECORD_STORAGE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "core/ports.h"
#include "core/store.h"
#include "storage/engine.h"

namespace norn::storage {

// Keys in the engine: the partition's number, big-endian, then the record key, so that a
// partition is one contiguous range.
std::string MakeEngineKey(PartitionId partition, absl::string_view record_key);

class RecordStorage : public norn::Storage {
 public:
  // The engine outlives this.
  explicit RecordStorage(Engine& engine);
  ~RecordStorage() override;

  void Submit(StoreRequest&& request) override;

  // Takes up what finished jobs made possible.
  void Pump();
  // The next reply that may leave, in order; false: none.
  bool PopReply(StoreReply* reply);

 private:
  struct Pending;  // a request that waits for a block

  void Run(std::unique_ptr<Pending> pending);
  bool TryRun(Pending& pending);
  void RunScan(const StoreScan& scan);
  void Release(StoreReply&& reply, uint64_t sequence);

  Engine& engine_;
  // Latched keys: the front request waits for a block, the rest for the front.
  std::map<std::string, std::deque<std::unique_ptr<Pending>>, std::less<>> latched_;
  std::map<const PendingRead*, std::string> fetching_;
  // Replies that wait for a sequence to become durable, by that sequence.
  std::multimap<uint64_t, StoreReply> waiting_;
  std::deque<StoreReply> ready_;
};

// What the node is told at its start.
norn::StoreRecovery MakeStoreRecovery(const Engine& engine, const RecoveryReport& report);

}  // namespace norn::storage

#endif  // NORN_STORAGE_RECORD_STORAGE_H_
