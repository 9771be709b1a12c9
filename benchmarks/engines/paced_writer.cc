#include "benchmarks/engines/paced_writer.h"

#include <chrono>

#include "benchmarks/engines/process_usage.h"

namespace norn::benchmarks {

PacedWriter::PacedWriter(EngineAdapter* engine, const Dataset& data, double puts_per_second)
    : engine_(engine),
      data_(data),
      interval_ns_(1e9 / puts_per_second),
      key_(Dataset::kKeyBytes, '\0'),
      value_(data.value_bytes(), '\0') {}

void PacedWriter::PutNext() {
  constexpr uint64_t kVersion = 2;
  Dataset::Key(data_.shuffled()[next_++ % data_.entries()], key_.data());
  data_.Value(key_, kVersion, value_.data());
  engine_->Put(key_, value_);
}

void PacedWriter::PutAtOnce(uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) PutNext();
}

void PacedWriter::PutWhatIsDue(int64_t started_ns, int64_t now_ns, Histogram* latency) {
  for (;;) {
    const int64_t due_ns =
        started_ns + static_cast<int64_t>(static_cast<double>(paced_) * interval_ns_);
    if (due_ns > now_ns) return;
    PutNext();
    ++paced_;
    if (latency != nullptr) latency->Add(NowNs() - due_ns);
  }
}

void PacedWriter::RunFor(double seconds, absl::FunctionRef<bool()> go_on, Histogram* latency) {
  const int64_t started_ns = NowNs();
  const auto end_ns = started_ns + static_cast<int64_t>(seconds * 1e9);
  for (int64_t now_ns = started_ns; now_ns < end_ns && go_on(); now_ns = NowNs()) {
    PutWhatIsDue(started_ns, now_ns, latency);
  }
}

void PacedWriter::StartThread(int64_t started_ns) {
  thread_ = std::thread([this, started_ns] {
    while (!stop_) {
      PutWhatIsDue(started_ns, NowNs());
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
}

void PacedWriter::StopThread() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace norn::benchmarks
