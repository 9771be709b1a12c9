// The runs of a campaign that failed, one of each kind, and what is written down of them.

#ifndef NORN_SIM_CI_FINDINGS_H_
#define NORN_SIM_CI_FINDINGS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sim/campaign.h"
#include "sim/case.pb.h"
#include "sim/case_runner.h"
#include "sim/ci/ci_report.h"

namespace norn::sim {

// How to have a failed run once more.
struct FailedRun {
  RunOptions run;
  std::optional<v1::Case> written;  // if it was a case of the corpus
  std::string command;
};

struct WriteUpOptions {
  std::string dir;       // of the report
  std::string revision;  // noted in each case
  int jobs = 1;
  int64_t limit_ms = 60'000;  // of real time for one run
  // How much time is left. Zero or less: for nothing but a run or two of each failure; and not even
  // for these once it is below -grace.
  std::function<std::chrono::milliseconds()> left;
  std::chrono::milliseconds grace{2'000};
  std::function<void(const std::string& line)> say;
};

class Findings {
 public:
  // Counts it in its group, and keeps it if it is the first that failed in this way.
  void Add(const SeedFailure& seen, FailedRun how, CiGroup* group);

  bool empty() const { return found_.empty(); }
  size_t size() const { return found_.size(); }  // ways to fail

  // Each with its own share of the time that is left, the worst first: performed again and written
  // down; cut down for at most three quarters of its share; explained and drawn. What there is no
  // time for is left out. Scenarios are scripts already: of them there is no more than a text.
  // kUnavailable: a file cannot be written.
  absl::Status WriteUp(const WriteUpOptions& options, CiReport* report);

 private:
  struct Finding {
    CiFailure failure;
    FailedRun how;
  };

  std::map<std::string, Finding> found_;  // by fingerprint
};

}  // namespace norn::sim

#endif  // NORN_SIM_CI_FINDINGS_H_
