// RocksDB, as fast as its options make it.

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmarks/engines/adapter.h"
#include "benchmarks/engines/process_usage.h"
#include "benchmarks/engines/sync_threads.h"

namespace norn::benchmarks {
namespace {

rocksdb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }
absl::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksDbAdapter : public EngineAdapter {
 public:
  explicit RocksDbAdapter(const EngineSettings& settings) : dir_(settings.dir) {
    constexpr int kMemtables = 4;
    rocksdb::Options options;
    options.create_if_missing = true;
    options.IncreaseParallelism(static_cast<int>(std::thread::hardware_concurrency()));
    options.write_buffer_size = settings.memtable_bytes / kMemtables;
    options.max_write_buffer_number = kMemtables;
    options.level_compaction_dynamic_level_bytes = true;
    options.max_bytes_for_level_base = settings.memtable_bytes;
    options.max_open_files = -1;
    options.skip_stats_update_on_db_open = true;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.info_log_level = rocksdb::ERROR_LEVEL;
    // A log that is written over does not change its size: its sync is one write less.
    options.recycle_log_file_num = kMemtables;
    switch (settings.compression) {
      case BlockCompression::kNone:
        options.compression = rocksdb::kNoCompression;
        break;
      case BlockCompression::kLz4:
        options.compression = rocksdb::kLZ4Compression;
        break;
      case BlockCompression::kZstd:
        options.compression = rocksdb::kZSTD;
        break;
      case BlockCompression::kLz4Zstd:
        options.compression = rocksdb::kLZ4Compression;
        options.bottommost_compression = rocksdb::kZSTD;
        break;
    }
    // As Norn's.
    options.compression_opts.level = options.bottommost_compression_opts.level = 1;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(settings.block_cache_bytes);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    Check("Open", rocksdb::DB::Open(options, dir_, &db));
    db_.reset(db);
    bulk_.fill_cache = false;
    sync_.sync = true;
  }

  ~RocksDbAdapter() override {
    if (compaction_.joinable()) compaction_.join();
  }

  void Put(absl::string_view key, absl::string_view value) override {
    Check("Put", db_->Put(rocksdb::WriteOptions(), ToSlice(key), ToSlice(value)));
  }

  bool Get(absl::string_view key, absl::string_view* value) override {
    value_.Reset();
    const rocksdb::Status status =
        db_->Get(read_, db_->DefaultColumnFamily(), ToSlice(key), &value_);
    if (status.IsNotFound()) return false;
    Check("Get", status);
    *value = ToView(value_);
    return true;
  }

  size_t Scan(absl::string_view from, size_t count, bool bulk, Visit visit) override {
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(bulk ? bulk_ : read_));
    size_t seen = 0;
    for (it->Seek(ToSlice(from)); it->Valid(); it->Next()) {
      visit(ToView(it->key()), ToView(it->value()));
      if (++seen == count) break;
    }
    Check("Iterator", it->status());
    return seen;
  }

  void RunSyncWriters(const SyncPlan& plan, SyncOutcome* outcome) override {
    MakeLogsToRecycle();
    RunSyncThreads(
        plan,
        [this](absl::string_view key, absl::string_view value) {
          Check("Put", db_->Put(sync_, ToSlice(key), ToSlice(value)));
        },
        outcome);
  }

  bool thread_safe() const override { return true; }

  void Settle() override { WaitUntilIdle(); }

  void StartFullCompaction() override {
    compacting_ = true;
    compaction_ = std::thread([this] {
      rocksdb::CompactRangeOptions options;
      options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
      Check("CompactRange", db_->CompactRange(options, nullptr, nullptr));
      compacting_ = false;
    });
  }

  bool FullCompactionRunning() override { return compacting_; }

 private:
  // Only a log that has been retired can be written over.
  void MakeLogsToRecycle() {
    if (std::exchange(logs_to_recycle_, true)) return;
    const std::string value(1u << 20, 'x');
    for (int log = 0; log < 2; ++log) {
      for (int i = 0; i < 16; ++i) Put(absl::StrCat("~filler ", i), value);
      Check("Flush", db_->Flush(rocksdb::FlushOptions()));
    }
    Settle();
  }

  void Check(absl::string_view what, const rocksdb::Status& status) const {
    if (!status.ok()) {
      Die(absl::StrCat("rocksdb: ", what, " in ", dir_, ": ", status.ToString()));
    }
  }

  const std::string dir_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ReadOptions read_;  // checksums are verified by default
  rocksdb::ReadOptions bulk_;
  rocksdb::WriteOptions sync_;
  rocksdb::PinnableSlice value_;
  bool logs_to_recycle_ = false;
  std::atomic<bool> compacting_{false};
  std::thread compaction_;
};

}  // namespace

std::unique_ptr<EngineAdapter> OpenRocksDb(const EngineSettings& settings) {
  return std::make_unique<RocksDbAdapter>(settings);
}

}  // namespace norn::benchmarks
