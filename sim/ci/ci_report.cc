#include "sim/ci/ci_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/check.h"
#include "sim/campaign.h"
#include "xxhash.h"

namespace norn::sim {

namespace {

void AddCounts(const std::map<std::string, uint64_t>& from, std::map<std::string, uint64_t>* to) {
  for (const auto& [name, count] : from) (*to)[name] += count;
}

void AddGroup(const CiGroup& from, CiReport* to) {
  for (CiGroup& group : to->groups) {
    if (group.corpus != from.corpus || group.name != from.name) continue;
    group.runs += from.runs;
    group.valid += from.valid;
    AddCounts(from.failures, &group.failures);
    return;
  }
  to->groups.push_back(from);
}

// The texts, the command and the files of `other`, if it has the smaller case; true if so.
bool TakeSmaller(const CiFailure& other, CiFailure* failure) {
  const bool smaller = other.least_bytes != 0 &&
                       (failure->least_bytes == 0 || other.least_bytes < failure->least_bytes);
  CiFailure kept = smaller ? other : *failure;
  const CiFailure& rest = smaller ? *failure : other;
  kept.runs = failure->runs + other.runs;
  kept.others.push_back(rest.command);
  kept.others.insert(kept.others.end(), rest.others.begin(), rest.others.end());
  if (kept.others.size() > kOthersMax) kept.others.resize(kOthersMax);
  *failure = std::move(kept);
  return smaller;
}

}  // namespace

uint64_t CiReport::Runs() const {
  uint64_t runs = 0;
  for (const CiGroup& group : groups) runs += group.runs;
  return runs;
}

uint64_t CiReport::Valid() const {
  uint64_t valid = 0;
  for (const CiGroup& group : groups) valid += group.valid;
  return valid;
}

std::vector<std::string> CiReport::Gaps() const {
  std::vector<std::string> gaps;
  std::vector<uint64_t> missing;
  for (uint64_t shard = 1; shard <= shards; ++shard) {
    if (done.count(shard) == 0) missing.push_back(shard);
  }
  if (!missing.empty()) {
    gaps.push_back(absl::StrCat(missing.size() == 1 ? "shard " : "shards ",
                                absl::StrJoin(missing, ", "), " of ", shards,
                                missing.size() == 1 ? " is missing" : " are missing"));
  }
  uint64_t waiting = 0;
  uint64_t seeds = 0;
  for (const CiGroup& group : groups) {
    if (group.corpus && group.runs == 0) ++waiting;
    if (!group.corpus) seeds += group.runs;
  }
  if (waiting > 0) {
    gaps.push_back(absl::StrCat("there was no time for ", waiting, " of the corpus's files"));
  }
  if (seeds == 0) gaps.push_back("there was no time for any seed");
  if (interrupted) gaps.push_back("it was ended by a signal before its budget was spent");
  return gaps;
}

int CiReport::ExitCode() const {
  int worst = Gaps().empty() ? kExitValid : kExitUnknown;
  for (const CiFailure& failure : failures) worst = WorstOf(worst, failure.exit_code);
  return worst;
}

std::string FolderOf(absl::string_view fingerprint) {
  const uint64_t hash = XXH3_64bits(fingerprint.data(), fingerprint.size());
  return absl::StrFormat("failures/%012x", hash >> 16);
}

void SortFailures(CiReport* report) {
  std::sort(report->failures.begin(), report->failures.end(),
            [](const CiFailure& a, const CiFailure& b) {
              if (a.exit_code != b.exit_code) {
                return WorstOf(a.exit_code, b.exit_code) == a.exit_code;
              }
              return a.fingerprint < b.fingerprint;
            });
}

absl::StatusOr<CiReport> MergeReports(const std::vector<CiReport>& reports,
                                      const std::vector<std::string>& names,
                                      std::vector<size_t>* from) {
  CORE_CHECK(!reports.empty() && reports.size() == names.size());
  CiReport merged;
  const CiReport& first = reports.front();
  merged.revision = first.revision;
  merged.shards = first.shards;
  std::map<uint64_t, size_t> whose;         // report, by shard
  std::map<std::string, size_t> smallest;   // report, by fingerprint
  std::map<std::string, CiFailure> failed;  // by fingerprint
  for (size_t i = 0; i < reports.size(); ++i) {
    const CiReport& report = reports[i];
    if (report.revision != merged.revision) {
      return absl::InvalidArgumentError(
          absl::StrCat(names[i], " is of revision \"", report.revision, "\" and ", names.front(),
                       " of \"", merged.revision, "\": merge shards of one campaign"));
    }
    if (report.shards != merged.shards) {
      return absl::InvalidArgumentError(
          absl::StrCat(names[i], " is of ", report.shards, " shards and ", names.front(), " of ",
                       merged.shards, ": merge shards of one campaign"));
    }
    for (const uint64_t shard : report.done) {
      const auto [place, fresh] = whose.emplace(shard, i);
      if (!fresh) {
        return absl::InvalidArgumentError(absl::StrCat("shard ", shard, " is in ",
                                                       names[place->second], " and in ", names[i],
                                                       ": its runs would count twice"));
      }
      merged.done.insert(shard);
    }
    merged.budget_ms = std::max(merged.budget_ms, report.budget_ms);
    merged.real_ms += report.real_ms;
    merged.interrupted = merged.interrupted || report.interrupted;
    for (const CiGroup& group : report.groups) AddGroup(group, &merged);
    merged.virtual_us += report.virtual_us;
    merged.events += report.events;
    merged.messages += report.messages;
    merged.file_operations += report.file_operations;
    AddCounts(report.outcomes, &merged.outcomes);
    AddCounts(report.fault_effects, &merged.fault_effects);
    for (const CiFailure& failure : report.failures) {
      const auto [place, fresh] = failed.emplace(failure.fingerprint, failure);
      if (fresh || TakeSmaller(failure, &place->second)) smallest[failure.fingerprint] = i;
    }
  }
  std::stable_sort(merged.groups.begin(), merged.groups.end(),
                   [](const CiGroup& a, const CiGroup& b) {
                     if (a.corpus != b.corpus) return a.corpus;
                     return a.corpus && a.name < b.name;
                   });
  for (const auto& [fingerprint, failure] : failed) merged.failures.push_back(failure);
  SortFailures(&merged);
  if (from != nullptr) {
    from->clear();
    for (const CiFailure& failure : merged.failures) {
      from->push_back(smallest.at(failure.fingerprint));
    }
  }
  return merged;
}

}  // namespace norn::sim
