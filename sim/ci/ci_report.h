// What a shard of norn-sim ci came to, or several that were merged: counts, and each way in which
// runs failed. REPORT/report.json is this; all else in the folder is made of it, or belongs to one
// failure:
//
//   report.json, index.html
//   failures/ID/case.textproto    the first run that failed so, with every choice
//   failures/ID/least.textproto   cut down, as far as there was time
//   failures/ID/why.html          explained and drawn (sim/explain)
//   failures/ID/why.txt           the same in words, and the command that shows it again

#ifndef NORN_SIM_CI_CI_REPORT_H_
#define NORN_SIM_CI_CI_REPORT_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace norn::sim {

inline constexpr int kCiReportFormat = 1;

// A file of the corpus, or a class of seeds.
struct CiGroup {
  std::string name;  // its path, or its options
  bool corpus = false;
  uint64_t runs = 0;  // 0: there was no time for it
  uint64_t valid = 0;
  std::map<std::string, uint64_t> failures;  // runs that failed, by fingerprint
};

// All runs that failed in the same way (CaseRun::Fingerprint). Texts are of the first of them.
struct CiFailure {
  std::string fingerprint;
  int exit_code = 0;  // as norn-sim's
  std::string verdict;
  std::string property;
  std::string witness;
  std::string config;
  uint64_t runs = 0;
  std::string command;              // shows it again, in a checkout of the revision
  std::vector<std::string> others;  // commands of some more runs; kOthersMax at most
  std::string folder;               // in the report; empty: nothing is written down
  std::vector<std::string> files;   // in the folder
  uint64_t least_bytes = 0;         // of the smallest case in it; 0: there is none
  uint64_t least_faults = 0;        // and of what it consists
  uint64_t least_operations = 0;
};
inline constexpr size_t kOthersMax = 9;

struct CiReport {
  std::string revision;
  uint64_t shards = 1;
  std::set<uint64_t> done;  // which of them, from 1
  int64_t budget_ms = 0;    // of one
  int64_t real_ms = 0;      // of all
  bool interrupted = false;
  std::vector<CiGroup> groups;  // the corpus first
  int64_t virtual_us = 0;
  uint64_t events = 0;
  uint64_t messages = 0;
  uint64_t file_operations = 0;
  std::map<std::string, uint64_t> outcomes;
  std::map<std::string, uint64_t> fault_effects;
  std::vector<CiFailure> failures;  // the worst first, then by fingerprint

  uint64_t Runs() const;
  uint64_t Valid() const;
  // Why it says less than it should, in words: "shard 3 of 4 is missing". None: it is whole.
  std::vector<std::string> Gaps() const;
  // Of the worst failure; kExitUnknown if there is none, but a gap.
  int ExitCode() const;
};

// The name of a failure's folder: "failures/" and 12 hexadecimal digits of its fingerprint.
std::string FolderOf(absl::string_view fingerprint);
void SortFailures(CiReport* report);

// ASCII, for people as well; ends with a newline.
std::string ToJson(const CiReport& report);
// kInvalidArgument "PATH: ..." for what is no such report, or one of another format.
absl::StatusOr<CiReport> ParseCiReport(absl::string_view json, const std::string& path);

// One report of shards of one campaign: counts added up, failures put together by fingerprint, each
// from the report that has the smallest case of it. `from`, if not null, becomes for each failure
// the place of that report. kInvalidArgument: another revision, another number of shards, or one
// shard twice; `names` are what the reports are called then. None may be empty.
absl::StatusOr<CiReport> MergeReports(const std::vector<CiReport>& reports,
                                      const std::vector<std::string>& names,
                                      std::vector<size_t>* from);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_CI_REPORT_H_
