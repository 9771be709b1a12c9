// LevelDB, as fast as its options make it.
//
// Its own file system maps tables into memory, and blocks of mapped files are never cached:
// with checksums on, every read of a block would be checked anew. So tables are read with
// pread, and a block is checked when it comes into the cache, as in the other engines.

#include <fcntl.h>
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/filter_policy.h>
#include <leveldb/options.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
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

leveldb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }
absl::string_view ToView(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

class PreadFile : public leveldb::RandomAccessFile {
 public:
  PreadFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PreadFile() override { close(fd_); }

  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result,
                       char* scratch) const override {
    const ssize_t got = pread(fd_, scratch, n, static_cast<off_t>(offset));
    *result = leveldb::Slice(scratch, got < 0 ? 0 : static_cast<size_t>(got));
    return got < 0 ? leveldb::Status::IOError(path_, std::strerror(errno)) : leveldb::Status::OK();
  }

 private:
  const std::string path_;
  const int fd_;
};

class PreadEnv : public leveldb::EnvWrapper {
 public:
  PreadEnv() : EnvWrapper(leveldb::Env::Default()) {}

  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    *file = fd < 0 ? nullptr : new PreadFile(path, fd);
    return fd < 0 ? leveldb::Status::IOError(path, std::strerror(errno)) : leveldb::Status::OK();
  }
};

class NoLog : public leveldb::Logger {
 public:
  void Logv(const char* /*format*/, std::va_list /*ap*/) override {}
};

class LevelDbAdapter : public EngineAdapter {
 public:
  explicit LevelDbAdapter(const EngineSettings& settings)
      : dir_(settings.dir),
        cache_(leveldb::NewLRUCache(settings.block_cache_bytes)),
        filter_(leveldb::NewBloomFilterPolicy(10)) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.env = &env_;
    options.info_log = &log_;
    options.write_buffer_size = settings.memtable_bytes / 2;  // one full, one filling
    options.max_open_files = 100'000;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    options.max_file_size = 8u << 20;
    options.compression = settings.compression == BlockCompression::kNone
                              ? leveldb::kNoCompression
                              : leveldb::kSnappyCompression;
    leveldb::DB* db = nullptr;
    Check("Open", leveldb::DB::Open(options, dir_, &db));
    db_.reset(db);
    read_.verify_checksums = true;
    bulk_ = read_;
    bulk_.fill_cache = false;
    sync_.sync = true;
  }

  ~LevelDbAdapter() override {
    if (compaction_.joinable()) compaction_.join();
  }

  void Put(absl::string_view key, absl::string_view value) override {
    Check("Put", db_->Put(leveldb::WriteOptions(), ToSlice(key), ToSlice(value)));
  }

  bool Get(absl::string_view key, absl::string_view* value) override {
    const leveldb::Status status = db_->Get(read_, ToSlice(key), &value_);
    if (status.IsNotFound()) return false;
    Check("Get", status);
    *value = value_;
    return true;
  }

  size_t Scan(absl::string_view from, size_t count, bool bulk, Visit visit) override {
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(bulk ? bulk_ : read_));
    size_t seen = 0;
    for (it->Seek(ToSlice(from)); it->Valid(); it->Next()) {
      visit(ToView(it->key()), ToView(it->value()));
      if (++seen == count) break;
    }
    Check("Iterator", it->status());
    return seen;
  }

  void RunSyncWriters(const SyncPlan& plan, SyncOutcome* outcome) override {
    RunSyncThreads(
        plan,
        [this](absl::string_view key, absl::string_view value) {
          Check("Put", db_->Put(sync_, ToSlice(key), ToSlice(value)));
        },
        outcome);
  }

  bool thread_safe() const override { return true; }

  // It does not tell whether it has work left.
  void Settle() override { WaitUntilIdle(); }

  void StartFullCompaction() override {
    compacting_ = true;
    compaction_ = std::thread([this] {
      db_->CompactRange(nullptr, nullptr);
      compacting_ = false;
    });
  }

  bool FullCompactionRunning() override { return compacting_; }

 private:
  void Check(absl::string_view what, const leveldb::Status& status) const {
    if (!status.ok()) {
      Die(absl::StrCat("leveldb: ", what, " in ", dir_, ": ", status.ToString()));
    }
  }

  const std::string dir_;
  PreadEnv env_;
  NoLog log_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
  leveldb::ReadOptions read_;
  leveldb::ReadOptions bulk_;
  leveldb::WriteOptions sync_;
  std::string value_;
  std::atomic<bool> compacting_{false};
  std::thread compaction_;
};

}  // namespace

std::unique_ptr<EngineAdapter> OpenLevelDb(const EngineSettings& settings) {
  return std::make_unique<LevelDbAdapter>(settings);
}

}  // namespace norn::benchmarks
