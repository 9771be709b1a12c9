// Walks what an engine held at one moment: the newest entry of each key, ascending.
//
// It pins memtables and tables, so flushes and compactions go on beside it; what they replace
// goes when it goes. Blocks that are not in memory are read at once; they are not put into the
// cache, where they would push out what point reads need, but for the parts of an index that a
// seek begins with. Where it walks on it reads ahead, more and more, up to 256 KiB of each table
// that it walks in.
//
// An error stands in its place, for the keys from error_from() to error_until(): go on behind
// those with Seek(). Threads: the engine's. The engine must outlive it.

#ifndef NORN_STORAGE_ENGINE_ITERATOR_H_
#define NORN_STORAGE_ENGINE_ITERATOR_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/block_cache.h"
#include "storage/iterator.h"
#include "storage/live_table.h"
#include "storage/manifest.h"
#include "storage/memtable.h"
#include "storage/merging_iterator.h"
#include "storage/quarantine.h"
#include "storage/quarantine_iterator.h"
#include "storage/range_drops.h"
#include "storage/table_iterator.h"

namespace norn::storage {

// For scans: what is not cached is read at once. The first block of a table is read alone, as a
// seek may want no more than that; what follows it in larger and larger stretches.
class BlocksOfScan : public BlockSource {
 public:
  static constexpr uint64_t kWindowBytesMin = 16u << 10;
  static constexpr uint64_t kWindowBytesMax = 256u << 10;

  // Told of blocks that cannot be read.
  using DamageSink =
      std::function<void(const Table& table, const TablePlace& place, const absl::Status& status)>;

  BlocksOfScan(BlockCache* cache, DamageSink on_damage)
      : cache_(cache), on_damage_(std::move(on_damage)) {}

  absl::StatusOr<std::shared_ptr<const Block>> Get(const Table& table,
                                                   const BlockHandle& handle) override;
  absl::StatusOr<std::shared_ptr<const Block>> GetPartition(const Table& table, size_t p) override;
  void OnDamage(const Table& table, const TablePlace& place, const absl::Status& status) override {
    on_damage_(table, place, status);
  }
  std::shared_ptr<const Block> HeldPartition(const Table& table, size_t p) override;
  void PreparePartition(const Table& table, size_t p) override;
  void Prepare(const Table& table, const BlockHandle& handle, int stage) override;
  // The walk goes on elsewhere: forgets what was read ahead.
  void Forget() { stretches_.clear(); }

 private:
  // What was read of a table at once.
  struct Stretch {
    uint64_t start = 0;
    std::string bytes;
    uint64_t next = 0;    // where the last block that was asked for ends
    uint64_t window = 0;  // how much was read at once the last time
  };

  static absl::StatusOr<std::shared_ptr<const Block>> Read(const Table& table,
                                                           const BlockHandle& handle,
                                                           Stretch* stretch);
  // Reads on from `handle`, as a stretch; false if that fails.
  static bool ReadStretch(const Table& table, const BlockHandle& handle, Stretch* stretch);

  BlockCache* cache_;
  DamageSink on_damage_;
  std::map<uint64_t, Stretch> stretches_;  // by table, while it is walked in
};

class EngineIterator final : public Iterator {
 public:
  using Levels = std::array<Level, kLevels>;

  // `memtables`: newest first. `in_doubt` says what is wrong with a write that
  // may never become durable (OK: nothing).
  EngineIterator(std::vector<std::shared_ptr<const Memtable>> memtables,
                 std::shared_ptr<const Levels> levels,
                 std::shared_ptr<const QuarantineSet> quarantine,
                 std::shared_ptr<const RangeDrops> drops, BlocksOfScan source,
                 uint64_t last_sequence, std::function<absl::Status(uint64_t sequence)> in_doubt);

  void Seek(absl::string_view key) override;
  void Next() override;
  void Resume() override {}
  absl::string_view key() const override { return merged_.key(); }
  absl::string_view value() const override { return merged_.value(); }
  uint64_t sequence() const override { return merged_.sequence(); }
  EntryKind kind() const override { return EntryKind::kValue; }
  absl::Status status() const override { return status_; }
  absl::string_view error_from() const override;
  absl::string_view error_until() const override { return error_until_; }

 private:
  std::vector<std::unique_ptr<Iterator>> Children();
  // Moves merged_ behind all entries of the key that it is at.
  void Leave();
  // From where merged_ is to the next value that counts.
  void Settle();

  const std::vector<std::shared_ptr<const Memtable>> memtables_;
  const std::shared_ptr<const Levels> levels_;
  const std::shared_ptr<const QuarantineSet> quarantine_;
  const std::shared_ptr<const RangeDrops> drops_;
  BlocksOfScan source_;
  MergingIterator merged_;
  const uint64_t last_sequence_;
  const std::function<absl::Status(uint64_t sequence)> in_doubt_;
  absl::Status status_;
  std::string error_until_;
  std::string last_key_;  // older entries of it do not count
  bool has_last_key_ = false;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ENGINE_ITERATOR_H_
