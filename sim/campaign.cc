#include "sim/campaign.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"
#include "sim/run_process.h"

namespace norn::sim {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kGlanceMs = 100;  // at the time

// What a worker tells of one seed. It travels through a pipe as a length and the fields.
struct Report {
  uint64_t seed = 0;
  int exit_code = kExitCrashed;
  std::string hash;
  std::string verdict;
  std::string property;
  std::string witness;
  std::string config;
  // virtual_us, events, messages, file operations, heal_us, heal_bound_us
  uint64_t numbers[6] = {};
  std::map<std::string, uint64_t> outcomes;
  std::map<std::string, uint64_t> fault_effects;
  std::map<std::string, uint64_t> rare_branches;
  RunPhases phases;
};

void AppendCounts(std::string* out, const std::map<std::string, uint64_t>& counts) {
  AppendVarint(out, counts.size());
  for (const auto& [name, count] : counts) {
    AppendBytes(out, name);
    AppendVarint(out, count);
  }
}

std::map<std::string, uint64_t> ReadCounts(ByteReader& reader) {
  std::map<std::string, uint64_t> counts;
  const uint64_t size = reader.ReadVarint();
  for (uint64_t i = 0; i < size && !reader.failed(); ++i) {
    std::string name(reader.ReadBytes());
    counts[std::move(name)] = reader.ReadVarint();
  }
  return counts;
}

std::string EncodeReport(const Report& report) {
  std::string body;
  AppendVarint(&body, report.seed);
  AppendVarint(&body, static_cast<uint64_t>(report.exit_code));
  AppendBytes(&body, report.hash);
  AppendBytes(&body, report.verdict);
  AppendBytes(&body, report.property);
  AppendBytes(&body, report.witness);
  AppendBytes(&body, report.config);
  for (const uint64_t number : report.numbers) AppendVarint(&body, number);
  AppendCounts(&body, report.outcomes);
  AppendCounts(&body, report.fault_effects);
  AppendCounts(&body, report.rare_branches);
  AppendBytes(&body, Encode(report.phases));
  std::string out;
  AppendFixed32(&out, static_cast<uint32_t>(body.size()));
  return out + body;
}

Report DecodeReport(absl::string_view body) {
  ByteReader reader(body);
  Report report;
  report.seed = reader.ReadVarint();
  report.exit_code = static_cast<int>(reader.ReadVarint());
  report.hash = std::string(reader.ReadBytes());
  report.verdict = std::string(reader.ReadBytes());
  report.property = std::string(reader.ReadBytes());
  report.witness = std::string(reader.ReadBytes());
  report.config = std::string(reader.ReadBytes());
  for (uint64_t& number : report.numbers) number = reader.ReadVarint();
  report.outcomes = ReadCounts(reader);
  report.fault_effects = ReadCounts(reader);
  report.rare_branches = ReadCounts(reader);
  report.phases = DecodePhases(std::string(reader.ReadBytes()));
  CORE_CHECK(reader.Done());
  return report;
}

Report RunSeed(const Subject& subject, const CampaignOptions& options, uint64_t seed) {
  RunOptions run = options.run;
  run.seed = seed;
  if (options.run_of) run = options.run_of(seed);
  const RunResult result = subject.Run(run, nullptr);
  Report report;
  report.seed = seed;
  report.exit_code = ExitCodeOfVerdict(result.verdict);
  report.hash = result.trace_hash;
  if (result.verdict != Verdict::kValid) {
    report.verdict = VerdictName(result.verdict);
    report.property = result.property;
    report.witness = result.witness;
    report.config = result.config;
  }
  report.numbers[0] = static_cast<uint64_t>(result.virtual_us);
  report.numbers[1] = result.events;
  report.numbers[2] = result.messages;
  report.numbers[3] = result.file_operations;
  report.numbers[4] = static_cast<uint64_t>(result.healed_after_us);
  report.numbers[5] = static_cast<uint64_t>(result.heal_bound_us);
  report.outcomes = result.outcomes;
  report.fault_effects = result.fault_effects;
  report.rare_branches = result.rare_branches;
  report.phases = result.phases;
  if (options.twice) {
    const RunResult again = subject.Run(run, nullptr);
    if (again.trace_hash != result.trace_hash) {
      report.exit_code = kExitCrashed;
      report.verdict = "CRASHED";
      report.property = "not deterministic: two runs of this seed gave different hashes";
      report.witness = absl::StrCat(result.trace_hash, " and ", again.trace_hash);
    }
  }
  return report;
}

void WriteAll(int fd, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    CORE_CHECK(n > 0);
    done += static_cast<size_t>(n);
  }
}

// One child process; it runs every `stride`-th seed from `next` on and reports each.
struct Worker {
  pid_t pid = -1;
  int fd = -1;
  uint64_t next = 0;        // the seed that it is working on, as far as we know
  Clock::time_point since;  // when it began with it, as far as we know
  std::unique_ptr<ErrorOutput> errors;
  std::string buffer;
};

class Campaign {
 public:
  Campaign(const Subject& subject, const CampaignOptions& options,
           const std::function<void(const CampaignResult&)>& progress)
      : subject_(subject), options_(options), progress_(progress) {}

  CampaignResult Run() {
    const auto stride = static_cast<uint64_t>(options_.jobs);
    for (uint64_t j = 0; j < stride; ++j) Spawn(options_.first_seed + j);
    while (!workers_.empty()) {
      PollOnce();
      if (options_.limit_ms > 0) KillWhatHangs();
      if (options_.enough && options_.enough()) break;
    }
    for (const Worker& worker : workers_) End(worker, /*at_once=*/true);
    std::sort(result_.failures.begin(), result_.failures.end(),
              [](const SeedFailure& a, const SeedFailure& b) { return a.seed < b.seed; });
    return std::move(result_);
  }

 private:
  void Spawn(uint64_t from) {
    if (from > options_.last_seed) return;
    int ends[2];
    CORE_CHECK(pipe(ends) == 0);
    auto errors = std::make_unique<ErrorOutput>();
    const pid_t pid = fork();
    CORE_CHECK(pid >= 0);
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a run that hangs does not outlive who asked for it
      close(ends[0]);
      errors->TakeStandardError();
      for (uint64_t seed = from; seed <= options_.last_seed;
           seed += static_cast<uint64_t>(options_.jobs)) {
        WriteAll(ends[1], EncodeReport(RunSeed(subject_, options_, seed)));
      }
      _exit(0);
    }
    close(ends[1]);
    Worker worker;
    worker.pid = pid;
    worker.fd = ends[0];
    worker.next = from;
    worker.since = Clock::now();
    worker.errors = std::move(errors);
    workers_.push_back(std::move(worker));
  }

  void PollOnce() {
    std::vector<pollfd> fds;
    for (const Worker& worker : workers_) fds.push_back({worker.fd, POLLIN, 0});
    const bool watching = options_.enough || options_.limit_ms > 0;
    if (poll(fds.data(), fds.size(), watching ? kGlanceMs : -1) < 0) {
      CORE_CHECK(errno == EINTR);
      return;
    }
    for (size_t i = fds.size(); i-- > 0;) {
      if (fds[i].revents == 0) continue;
      char chunk[1 << 16];
      const ssize_t n = read(workers_[i].fd, chunk, sizeof(chunk));
      if (n < 0 && errno == EINTR) continue;
      if (n > 0) {
        workers_[i].buffer.append(chunk, static_cast<size_t>(n));
        TakeReports(workers_[i]);
      } else {
        Bury(i, /*stopped=*/false);
      }
    }
  }

  void TakeReports(Worker& worker) {
    while (worker.buffer.size() >= 4) {
      const size_t size = LoadFixed32(worker.buffer.data());
      if (worker.buffer.size() < 4 + size) return;
      Add(DecodeReport(absl::string_view(worker.buffer).substr(4, size)));
      worker.buffer.erase(0, 4 + size);
      worker.next += static_cast<uint64_t>(options_.jobs);
      worker.since = Clock::now();
    }
  }

  void KillWhatHangs() {
    const Clock::time_point late = Clock::now() - std::chrono::milliseconds(options_.limit_ms);
    for (size_t i = workers_.size(); i-- > 0;) {
      if (workers_[i].since <= late) Bury(i, /*stopped=*/true);
    }
  }

  // What waitpid says of it.
  static int End(const Worker& worker, bool at_once) {
    if (at_once) kill(worker.pid, SIGKILL);
    close(worker.fd);
    int status = 0;
    while (waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  // The worker's pipe ended: it is through, or a run killed it, or hangs, and another goes on.
  void Bury(size_t index, bool stopped) {
    const Worker worker = std::move(workers_[index]);
    workers_.erase(workers_.begin() + static_cast<ptrdiff_t>(index));
    const int status = End(worker, stopped);
    if (worker.next > options_.last_seed) return;
    Report report;
    report.seed = worker.next;
    report.witness = worker.errors->Text();
    report.verdict = stopped ? "STOPPED" : "CRASHED";
    report.property = stopped ? kStoppedProperty : PropertyOfCrash(status, report.witness);
    Add(report);
    Spawn(worker.next + static_cast<uint64_t>(options_.jobs));
  }

  void Add(const Report& report) {
    ++result_.runs;
    result_.valid += report.exit_code == kExitValid ? 1 : 0;
    result_.virtual_us += static_cast<int64_t>(report.numbers[0]);
    result_.events += report.numbers[1];
    result_.messages += report.numbers[2];
    result_.file_operations += report.numbers[3];
    if (static_cast<int64_t>(report.numbers[4]) > result_.slowest_heal_us) {
      result_.slowest_heal_us = static_cast<int64_t>(report.numbers[4]);
      result_.slowest_heal_bound_us = static_cast<int64_t>(report.numbers[5]);
    }
    for (const auto& [name, count] : report.outcomes) result_.outcomes[name] += count;
    for (const auto& [name, count] : report.rare_branches) result_.rare_branches[name] += count;
    for (const auto& [name, count] : report.fault_effects) result_.fault_effects[name] += count;
    result_.phases.Add(report.phases);
    result_.hashes[report.seed] = report.hash;
    if (report.exit_code != kExitValid) {
      SeedFailure failure;
      failure.seed = report.seed;
      failure.exit_code = report.exit_code;
      failure.verdict = report.verdict;
      failure.property = report.property;
      failure.witness = report.witness;
      failure.config = report.config;
      result_.failures.push_back(std::move(failure));
    }
    progress_(result_);
  }

  const Subject& subject_;
  const CampaignOptions& options_;
  const std::function<void(const CampaignResult&)>& progress_;
  std::vector<Worker> workers_;
  CampaignResult result_;
};

}  // namespace

CampaignResult RunCampaign(const Subject& subject, const CampaignOptions& options,
                           const std::function<void(const CampaignResult&)>& progress) {
  return Campaign(subject, options, progress).Run();
}

std::optional<std::string> ParseSeeds(const std::string& text, CampaignOptions* campaign) {
  const size_t dots = text.find("..");
  const std::string first = text.substr(0, dots);
  const std::string last = dots == std::string::npos ? first : text.substr(dots + 2);
  if (!absl::SimpleAtoi(first, &campaign->first_seed) ||
      !absl::SimpleAtoi(last, &campaign->last_seed)) {
    return absl::StrCat("\"", text, "\" is no seed and no range of seeds: write 7 or 1..1000");
  }
  if (campaign->last_seed < campaign->first_seed) {
    return absl::StrCat("the range ", text, " is empty: the first seed must not be above the last");
  }
  return std::nullopt;
}

int Processors() {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof(mine), &mine) != 0) return 1;
  return std::clamp(CPU_COUNT(&mine), 1, kJobsMax);
}

std::string SeedFailure::Text() const {
  return absl::StrCat(verdict, ": ", property, witness.empty() ? "" : "\n", witness,
                      config.empty() ? "" : "\n  ", config);
}

int WorstOf(int a, int b) {
  static constexpr int kWorstFirst[] = {kExitViolated, kExitCrashed, kExitNoProgress, kExitUnknown};
  for (const int code : kWorstFirst) {
    if (a == code || b == code) return code;
  }
  return kExitValid;
}

int ExitCodeOf(const CampaignResult& result) {
  int worst = kExitValid;
  for (const SeedFailure& failure : result.failures) worst = WorstOf(worst, failure.exit_code);
  return worst;
}

}  // namespace norn::sim
