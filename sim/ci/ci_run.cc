#include "sim/ci/ci_run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/campaign.h"
#include "sim/ci/findings.h"
#include "sim/store_subject.h"

namespace norn::sim {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kRedraw{200};
constexpr milliseconds kPlainLine{10'000};
constexpr int kReserveParts = 4;  // one of so many parts of the budget is for failures

class CiRun {
 public:
  CiRun(const CiOptions& options, const std::vector<CorpusFile>& corpus,
        const std::function<RunOptions(uint64_t seed)>& run_of,
        const std::function<bool()>& interrupted)
      : options_(options),
        corpus_(OwnFiles(corpus, options.plan)),
        run_of_(run_of),
        interrupted_(interrupted),
        terminal_(isatty(STDERR_FILENO) == 1),
        began_(Clock::now()),
        end_(began_ + milliseconds(options.budget_ms)) {}

  absl::StatusOr<CiReport> Run() {
    report_.revision = options_.plan.revision;
    report_.shards = options_.plan.shards;
    report_.done = {options_.plan.shard};
    report_.budget_ms = options_.budget_ms;
    for (const CorpusFile& file : corpus_) AddGroup(file.path, /*corpus=*/true);
    for (int i = 0; i < kSeedClasses; ++i) AddGroup(NameOfClass(i), /*corpus=*/false);
    if (!corpus_.empty()) RunCorpus();
    RunSeeds();
    report_.interrupted = stopped_;
    if (absl::Status written = WriteUp(); !written.ok()) return written;
    report_.real_ms = Elapsed().count();
    if (terminal_) std::cerr << "\n";
    return std::move(report_);
  }

 private:
  milliseconds Elapsed() const {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - began_);
  }
  milliseconds Left() {
    Stopped();
    return std::chrono::duration_cast<milliseconds>(end_ - Clock::now());
  }
  // A signal ends the budget.
  bool Stopped() {
    if (!stopped_ && interrupted_()) {
      stopped_ = true;
      end_ = std::min(end_, Clock::now());
    }
    return stopped_;
  }

  void AddGroup(const std::string& name, bool corpus) {
    CiGroup group;
    group.name = name;
    group.corpus = corpus;
    report_.groups.push_back(std::move(group));
  }

  void Say(const std::string& line) {
    if (terminal_) {
      std::cerr << absl::StrFormat("\r\x1b[K[%4d s] %s", Elapsed().count() / 1000, line)
                << std::flush;
    } else {
      std::cerr << absl::StrFormat("[%4d s] %s\n", Elapsed().count() / 1000, line);
    }
    said_ = Clock::now();
  }
  void SayNowAndThen(const std::function<std::string()>& line) {
    if (Clock::now() - said_ >= (terminal_ ? kRedraw : kPlainLine)) Say(line());
  }

  bool Enough() {
    if (Stopped()) return true;
    const milliseconds budget(options_.budget_ms);
    const milliseconds search = findings_.empty() ? budget : budget - budget / kReserveParts;
    return Elapsed() >= search;
  }

  CampaignOptions Searching() {
    CampaignOptions campaign;
    campaign.jobs = options_.jobs;
    campaign.limit_ms = options_.limit_ms;
    return campaign;
  }

  void TakeTotals(const CampaignResult& result) {
    report_.virtual_us += result.virtual_us;
    report_.events += result.events;
    report_.messages += result.messages;
    report_.file_operations += result.file_operations;
    for (const auto& [name, count] : result.outcomes) report_.outcomes[name] += count;
    for (const auto& [name, count] : result.fault_effects) report_.fault_effects[name] += count;
  }

  void RunCorpus() {
    Say(absl::StrCat("the corpus: ", corpus_.size(), " files"));
    CampaignOptions campaign = Searching();
    campaign.first_seed = 0;
    campaign.last_seed = corpus_.size() - 1;
    campaign.run_of = [this](uint64_t place) { return corpus_[place].run; };
    campaign.enough = [this] { return Stopped() || Clock::now() >= end_; };
    const CampaignResult result =
        RunCampaign(NornStore(), campaign, [this](const CampaignResult& so_far) {
          SayNowAndThen([&] {
            return absl::StrCat("the corpus: ", so_far.runs, " of ", corpus_.size(), " files");
          });
        });
    TakeTotals(result);
    std::map<uint64_t, const SeedFailure*> failed;
    for (const SeedFailure& failure : result.failures) failed[failure.seed] = &failure;
    for (const auto& [place, hash] : result.hashes) {
      const CorpusFile& file = corpus_[place];
      CiGroup& group = report_.groups[place];
      ++group.runs;
      SeedFailure none_where_one_must_be;
      const SeedFailure* failure = failed.count(place) != 0 ? failed[place] : nullptr;
      if (file.violated && failure == nullptr) {
        none_where_one_must_be.exit_code = kExitViolated;
        none_where_one_must_be.verdict = "VALID";
        none_where_one_must_be.property =
            "a scenario that is marked as violated is valid: take its mark away";
        none_where_one_must_be.witness = file.path;
        failure = &none_where_one_must_be;
      } else if (file.violated && failure->exit_code == kExitViolated) {
        failure = nullptr;
      }
      if (failure == nullptr) {
        ++group.valid;
      } else {
        findings_.Add(*failure, {file.run, file.written, file.Command()}, &group);
      }
    }
  }

  void RunSeeds() {
    if (Enough()) return;
    Say("seeds");
    CampaignOptions campaign = Searching();
    campaign.first_seed = 0;
    campaign.last_seed = options_.plan.CounterMax();
    campaign.run_of = [this](uint64_t counter) { return run_of_(options_.plan.SeedOf(counter)); };
    campaign.enough = [this] { return Enough(); };
    size_t taken = 0;
    const CampaignResult result =
        RunCampaign(NornStore(), campaign, [&](const CampaignResult& so_far) {
          for (; taken < so_far.failures.size(); ++taken) TakeFailure(so_far.failures[taken]);
          SayNowAndThen([&] {
            return absl::StrCat(so_far.runs, " seeds, ", so_far.failures.size(), " not valid (",
                                findings_.size(), findings_.size() == 1 ? " kind" : " kinds", "), ",
                                so_far.virtual_us / 1'000'000, " s of virtual time");
          });
        });
    TakeTotals(result);
    std::map<uint64_t, bool> failed;
    for (const SeedFailure& failure : result.failures) failed[failure.seed] = true;
    for (const auto& [counter, hash] : result.hashes) {
      CiGroup& group = GroupOf(counter);
      ++group.runs;
      group.valid += failed.count(counter) == 0 ? 1 : 0;
    }
  }

  CiGroup& GroupOf(uint64_t counter) {
    const int seed_class = ClassOfSeed(options_.plan.SeedOf(counter));
    return report_.groups[corpus_.size() + static_cast<size_t>(seed_class)];
  }

  void TakeFailure(const SeedFailure& failure) {
    const uint64_t seed = options_.plan.SeedOf(failure.seed);
    const size_t before = findings_.size();
    const RunOptions run = run_of_(seed);
    findings_.Add(failure, {run, std::nullopt, CommandOf(run, seed)}, &GroupOf(failure.seed));
    if (findings_.size() == before) return;
    Say(absl::StrCat("seed ", seed, ": ", failure.verdict, ": ", failure.property));
    if (terminal_) std::cerr << "\n";
  }

  absl::Status WriteUp() {
    WriteUpOptions options;
    options.dir = options_.report;
    options.revision = options_.plan.revision;
    options.jobs = options_.jobs;
    options.limit_ms = options_.limit_ms;
    options.left = [this] { return Left(); };
    options.say = [this](const std::string& line) { Say(line); };
    return findings_.WriteUp(options, &report_);
  }

  const CiOptions& options_;
  const std::vector<CorpusFile> corpus_;
  const std::function<RunOptions(uint64_t seed)>& run_of_;
  const std::function<bool()>& interrupted_;
  const bool terminal_;
  const Clock::time_point began_;
  Clock::time_point end_;
  Clock::time_point said_;
  bool stopped_ = false;
  Findings findings_;
  CiReport report_;
};

}  // namespace

std::vector<CorpusFile> OwnFiles(const std::vector<CorpusFile>& corpus, const SeedPlan& plan) {
  std::vector<CorpusFile> own;
  for (size_t i = plan.shard - 1; i < corpus.size(); i += plan.shards) own.push_back(corpus[i]);
  return own;
}

absl::StatusOr<CiReport> RunCi(const CiOptions& options, const std::vector<CorpusFile>& corpus,
                               const std::function<RunOptions(uint64_t seed)>& run_of,
                               const std::function<bool()>& interrupted) {
  return CiRun(options, corpus, run_of, interrupted).Run();
}

}  // namespace norn::sim
