#include "benchmarks/engines/workloads.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "benchmarks/engines/bare_log.h"
#include "benchmarks/engines/histogram.h"
#include "benchmarks/engines/paced_writer.h"
#include "benchmarks/engines/process_usage.h"

namespace norn::benchmarks {
namespace {

// Room for a key, and a view of it.
class KeyBuffer {
 public:
  absl::string_view Of(uint64_t number) {
    Dataset::Key(number, bytes_);
    return {bytes_, Dataset::kKeyBytes};
  }
  absl::string_view Missing(uint64_t number) {
    Dataset::MissingKey(number, bytes_);
    return {bytes_, Dataset::kKeyBytes};
  }

 private:
  char bytes_[Dataset::kKeyBytes];
};

Measurement FromHistogram(const Histogram& latency, double seconds, double cpu_seconds) {
  const auto ops = static_cast<double>(std::max<uint64_t>(latency.count(), 1));
  return {.ops_per_second = ops / seconds,
          .p50_us = latency.QuantileUs(0.5),
          .p99_us = latency.QuantileUs(0.99),
          .p999_us = latency.QuantileUs(0.999),
          .cpu_us_per_op = cpu_seconds * 1e6 / ops};
}

// A process's peak says something where its stage comes to its peak.
bool TellsMemory(Workload workload) {
  return workload == Workload::kFillSeq || workload == Workload::kFillRandom ||
         workload == Workload::kReadRandom || workload == Workload::kOverwrite;
}

Measurement OnlyLatency(const Histogram& latency) {
  return {.p50_us = latency.QuantileUs(0.5),
          .p99_us = latency.QuantileUs(0.99),
          .p999_us = latency.QuantileUs(0.999)};
}

// Time, processor time and latencies from its construction to Done(). An operation's latency
// reaches from the end of the one before: one reading of the clock each, as in db_bench.
class Meter {
 public:
  Meter() : cpu_before_(CpuSeconds()), started_ns_(NowNs()), last_ns_(started_ns_) {}

  void Tick() {
    const int64_t now_ns = NowNs();
    latency_.Add(now_ns - last_ns_);
    last_ns_ = now_ns;
  }

  Measurement Done() const {
    return FromHistogram(latency_, static_cast<double>(last_ns_ - started_ns_) / 1e9,
                         CpuSeconds() - cpu_before_);
  }

  int64_t last_ns() const { return last_ns_; }
  int64_t started_ns() const { return started_ns_; }

 private:
  const double cpu_before_;
  const int64_t started_ns_;
  int64_t last_ns_;
  Histogram latency_;
};

}  // namespace

const char* WorkloadName(Workload workload) {
  switch (workload) {
    case Workload::kFillSeq:
      return "fillseq";
    case Workload::kFillRandom:
      return "fillrandom";
    case Workload::kWarm:
      return "warm up";
    case Workload::kReadRandom:
      return "readrandom";
    case Workload::kReadMissing:
      return "readmissing";
    case Workload::kReadHot:
      return "readhot";
    case Workload::kSeek10:
      return "seek+10";
    case Workload::kReadSeq:
      return "readseq";
    case Workload::kOverwrite:
      return "overwrite";
    case Workload::kReadWhileWriting:
      return "readwhilewriting";
    case Workload::kPutIdle:
      return "put when idle";
    case Workload::kPutBesideCompaction:
      return "put beside compaction";
    case Workload::kSyncBesideCompaction:
      return "synced put beside compaction";
    case Workload::kFillSync1:
      return "fillsync 1 writer";
    case Workload::kFillSync8:
      return "fillsync 8 writers";
    case Workload::kFillSync32:
      return "fillsync 32 writers";
    case Workload::kBareSync:
      return "bare append+fdatasync";
  }
  return "unknown";
}

Bench::Bench(uint64_t entries, size_t value_bytes, const Effort& effort)
    : data_(entries, value_bytes),
      effort_(effort),
      uniform_(data_.Uniform(effort.reads, 1)),
      zipfian_(data_.Zipfian(effort.reads, 2)) {}

int SlicesOf(Workload workload) {
  switch (workload) {
    case Workload::kFillSeq:
    case Workload::kFillRandom:
    case Workload::kWarm:
    case Workload::kOverwrite:
    case Workload::kPutBesideCompaction:
    case Workload::kSyncBesideCompaction:
      return 1;
    default:
      return 5;
  }
}

Measurement Bench::Run(const Slice& slice, EngineAdapter* engine, const std::string& dir) const {
  const double cpu_before = CpuSeconds();
  Measurement measured = Dispatch(slice, engine, dir);
  measured.process_cpu_seconds = CpuSeconds() - cpu_before;
  if (TellsMemory(slice.workload)) measured.peak_memory_mib = PeakMemoryMib();
  return measured;
}

Measurement Bench::Dispatch(const Slice& slice, EngineAdapter* engine,
                            const std::string& dir) const {
  const double seconds = effort_.seconds / slice.count;
  const size_t reads = uniform_.size() / static_cast<size_t>(slice.count);
  const size_t first = reads * static_cast<size_t>(slice.index);
  const Numbers uniform = Numbers(uniform_).subspan(first, reads);
  const Numbers zipfian = Numbers(zipfian_).subspan(first, reads);
  switch (slice.workload) {
    case Workload::kFillSeq:
      return Write(Order::kSequential, 0, engine, dir);
    case Workload::kFillRandom:
      return Write(Order::kShuffled, 0, engine, dir);
    case Workload::kWarm:
      Warm(engine);
      return {};
    case Workload::kReadRandom:
      return Read(uniform, true, engine);
    case Workload::kReadMissing:
      return Read(uniform, false, engine);
    case Workload::kReadHot:
      return Read(zipfian, true, engine);
    case Workload::kSeek10:
      return Seek10(uniform.first(reads / 4), engine);
    case Workload::kReadSeq:
      return ReadSeq(engine);
    case Workload::kOverwrite:
      return Write(Order::kShuffled, 1, engine, dir);
    case Workload::kReadWhileWriting:
      return ReadWhileWriting(uniform, seconds, engine);
    case Workload::kPutIdle:
      return PutIdle(seconds, engine);
    case Workload::kPutBesideCompaction:
      return PutBesideCompaction(seconds, engine);
    case Workload::kSyncBesideCompaction:
      return SyncBesideCompaction(seconds / 4, engine);
    case Workload::kFillSync1:
      return SyncedPuts(1, Start::kWarm, seconds, engine);
    case Workload::kFillSync8:
      return SyncedPuts(8, Start::kWarm, seconds, engine);
    case Workload::kFillSync32:
      return SyncedPuts(32, Start::kWarm, seconds, engine);
    case Workload::kBareSync:
      return BareSync(seconds, dir);
  }
  return {};
}

// The clock stops with the last put. Processor time and bytes include what the engine does
// afterwards, until nothing is left to merge: it is the price of these puts.
Measurement Bench::Write(Order order, uint64_t version, EngineAdapter* engine,
                         const std::string& dir) const {
  std::string value(data_.value_bytes(), '\0');
  KeyBuffer key;
  const uint64_t bytes_before = BytesWritten();
  Meter meter;
  for (uint64_t i = 0; i < data_.entries(); ++i) {
    // Overwriting follows an order of its own.
    const uint64_t at = (i + version * data_.entries() / 3) % data_.entries();
    const uint64_t number = order == Order::kSequential ? i : data_.shuffled()[at];
    data_.Value(key.Of(number), version, value.data());
    engine->Put(key.Of(number), value);
    meter.Tick();
  }
  engine->Settle();
  Measurement measured = meter.Done();
  const auto user_bytes = static_cast<double>(data_.user_bytes());
  measured.write_amplification = static_cast<double>(BytesWritten() - bytes_before) / user_bytes;
  measured.space_amplification = static_cast<double>(DirectoryBytes(dir)) / user_bytes;
  return measured;
}

// Every block is touched once, in the order of the keys, then the hot ones and some others.
void Bench::Warm(EngineAdapter* engine) const {
  constexpr size_t kBlockBytes = 4096;
  const uint64_t step =
      std::max<uint64_t>(kBlockBytes / 2 / (Dataset::kKeyBytes + data_.value_bytes()), 1);
  KeyBuffer key;
  absl::string_view value;
  const auto get = [&](uint64_t number) {
    if (!engine->Get(key.Of(number), &value)) Die(absl::StrCat("lost key ", key.Of(number)));
    data_.Check(key.Of(number), value);
  };
  for (uint64_t i = 0; i < data_.entries(); i += step) get(i);
  for (size_t i = 0; i < uniform_.size() / 4; ++i) get(uniform_[i]);
  engine->Settle();
}

Measurement Bench::Read(Numbers numbers, bool present, EngineAdapter* engine) const {
  KeyBuffer buffer;
  absl::string_view value;
  Meter meter;
  for (const uint32_t number : numbers) {
    const absl::string_view key = present ? buffer.Of(number) : buffer.Missing(number);
    if (engine->Get(key, &value) != present) {
      Die(absl::StrCat("WRONG ANSWER: key ", key, present ? " is lost" : " was never written"));
    }
    if (present) data_.Check(key, value);
    meter.Tick();
  }
  return meter.Done();
}

Measurement Bench::Seek10(Numbers numbers, EngineAdapter* engine) const {
  constexpr uint64_t kEntries = 10;
  KeyBuffer from;
  KeyBuffer expected;
  Meter meter;
  for (const uint32_t start : numbers) {
    uint64_t number = start;
    const uint64_t count = std::min(kEntries, data_.entries() - number);
    const size_t seen = engine->Scan(
        from.Of(number), kEntries, /*bulk=*/false,
        [&](absl::string_view key, absl::string_view value) {
          if (key != expected.Of(number)) {
            Die(absl::StrCat("WRONG ORDER: key ", key, " instead of ", expected.Of(number)));
          }
          data_.Check(key, value);
          ++number;
        });
    if (seen != count) Die(absl::StrCat("a scan found ", seen, " entries instead of ", count));
    meter.Tick();
  }
  return meter.Done();
}

// An operation is an entry here, and has no latency of its own.
Measurement Bench::ReadSeq(EngineAdapter* engine) const {
  uint64_t seen = 0;
  KeyBuffer expected;
  const double cpu_before = CpuSeconds();
  const int64_t started_ns = NowNs();
  engine->Scan("", data_.entries(), /*bulk=*/true,
               [&](absl::string_view key, absl::string_view value) {
                 if (key != expected.Of(seen)) {
                   Die(absl::StrCat("WRONG ORDER: key ", key, ", not ", expected.Of(seen)));
                 }
                 data_.Check(key, value);
                 ++seen;
               });
  const auto entries = static_cast<double>(data_.entries());
  if (seen != data_.entries()) Die(absl::StrCat("a full scan found ", seen, " entries"));
  return {.ops_per_second = entries / (static_cast<double>(NowNs() - started_ns) / 1e9),
          .cpu_us_per_op = (CpuSeconds() - cpu_before) * 1e6 / entries};
}

// Reads as fast as they go; puts at a fixed rate, the same for all engines.
Measurement Bench::ReadWhileWriting(Numbers numbers, double seconds, EngineAdapter* engine) const {
  PacedWriter writer(engine, data_, effort_.puts_per_second);
  KeyBuffer key;
  absl::string_view value;
  Meter meter;
  const auto end_ns = meter.started_ns() + static_cast<int64_t>(seconds * 1e9);
  if (engine->thread_safe()) writer.StartThread(meter.started_ns());
  for (size_t i = 0; meter.last_ns() < end_ns; ++i) {
    if (!engine->thread_safe()) writer.PutWhatIsDue(meter.started_ns(), meter.last_ns());
    const uint32_t number = numbers[i % numbers.size()];
    if (!engine->Get(key.Of(number), &value)) Die(absl::StrCat("lost key ", key.Of(number)));
    data_.Check(key.Of(number), value);
    meter.Tick();
  }
  writer.StopThread();
  const Measurement measured = meter.Done();
  engine->Settle();
  return measured;
}

// What is put in a slice fits into a memtable, mostly.
Measurement Bench::PutIdle(double seconds, EngineAdapter* engine) const {
  PacedWriter writer(engine, data_, effort_.puts_per_second);
  Histogram latency;
  writer.RunFor(
      seconds, [] { return true; }, &latency);
  engine->Settle();
  return OnlyLatency(latency);
}

Measurement Bench::PutBesideCompaction(double seconds, EngineAdapter* engine) const {
  PacedWriter writer(engine, data_, effort_.puts_per_second);
  // So that there is something to merge: a tenth of all entries anew.
  writer.PutAtOnce(data_.entries() / 10);
  engine->Settle();
  const uint64_t bytes_before = BytesWritten();
  engine->StartFullCompaction();
  Histogram latency;
  writer.RunFor(
      seconds, [engine] { return engine->FullCompactionRunning(); }, &latency);
  engine->Settle();
  if (BytesWritten() - bytes_before < data_.user_bytes() / 2 || latency.count() == 0) {
    Die(absl::StrCat("a full compaction wrote ", BytesWritten() - bytes_before, " bytes beside ",
                     latency.count(),
                     " puts, that is less than half of the data: ", "it measures nothing"));
  }
  return OnlyLatency(latency);
}

// One writer that waits for the disk, for a few seconds: less than the compaction takes, or most
// of the puts would have the disk for themselves.
Measurement Bench::SyncBesideCompaction(double seconds, EngineAdapter* engine) const {
  PacedWriter writer(engine, data_, effort_.puts_per_second);
  writer.PutAtOnce(data_.entries() / 10);
  engine->Settle();
  engine->StartFullCompaction();
  // What would warm it up waits until nothing is left to merge.
  return SyncedPuts(1, Start::kCold, seconds, engine);
}

Measurement Bench::SyncedPuts(int writers, Start start, double seconds,
                              EngineAdapter* engine) const {
  SyncOutcome outcome;
  const auto make_put = [this](uint64_t n, std::string* key, std::string* value) {
    key->resize(Dataset::kKeyBytes);
    value->resize(data_.value_bytes());
    Dataset::Key(data_.shuffled()[n % data_.entries()], key->data());
    data_.Value(*key, n / data_.entries(), value->data());
  };
  if (start == Start::kWarm) {
    engine->RunSyncWriters({.writers = 1, .seconds = seconds / 10, .make_put = make_put}, &outcome);
    outcome = SyncOutcome();
  }
  engine->RunSyncWriters({.writers = writers, .seconds = seconds, .make_put = make_put}, &outcome);
  return FromHistogram(outcome.latency, outcome.seconds, outcome.cpu_seconds);
}

Measurement Bench::BareSync(double seconds, const std::string& dir) const {
  // What a log record needs besides key and value, about.
  constexpr size_t kHeadBytes = 24;
  Histogram latency;
  const double cpu_before = CpuSeconds();
  const double took =
      RunBareLog(dir, kHeadBytes + Dataset::kKeyBytes + data_.value_bytes(), seconds, &latency);
  return FromHistogram(latency, took, CpuSeconds() - cpu_before);
}

}  // namespace norn::benchmarks
