#include "sim/ci/report_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/ci/junit.h"
#include "sim/ci/report_page.h"
#include "sim/text_proto.h"

namespace norn::sim {

namespace {

namespace fs = std::filesystem;

constexpr size_t kShown = 10;

}  // namespace

absl::Status MakeFolder(const std::string& dir) {
  std::error_code failed;
  fs::create_directories(dir, failed);
  if (!failed) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(dir, ": this folder cannot be made: ", failed.message()));
}

absl::Status MakeReportFolder(const std::string& dir) {
  std::error_code failed;
  if (absl::Status made = MakeFolder(dir); !made.ok()) return made;
  const bool empty = fs::is_empty(dir, failed);
  if (failed) return absl::UnavailableError(absl::StrCat(dir, ": ", failed.message()));
  if (empty) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(dir, ": this folder is not empty: name a new one for the report"));
}

absl::Status WriteReportFile(const std::string& path, absl::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (out.good()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
}

absl::Status CopyReportFile(const std::string& from, const std::string& to) {
  std::error_code failed;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, failed);
  if (!failed) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(from, ": cannot be copied to ", to, ": ", failed.message()));
}

absl::Status WriteReport(const CiReport& report, const std::string& dir, const std::string& junit) {
  if (absl::Status wrote = WriteReportFile(absl::StrCat(dir, "/index.html"), ReportPage(report));
      !wrote.ok()) {
    return wrote;
  }
  if (!junit.empty()) {
    if (absl::Status wrote = WriteReportFile(junit, ToJunit(report)); !wrote.ok()) return wrote;
  }
  // The last one: whoever finds it finds the others.
  return WriteReportFile(absl::StrCat(dir, "/report.json"), ToJson(report));
}

absl::StatusOr<CiReport> ReadReport(const std::string& dir) {
  const std::string path = absl::StrCat(dir, "/report.json");
  const absl::StatusOr<std::string> text = ReadWholeFile(path, "report");
  if (!text.ok()) {
    return absl::NotFoundError(absl::StrCat(
        path, ": no such file: the norn-sim ci that should have written it did not end"));
  }
  return ParseCiReport(*text, path);
}

std::string ToText(const CiReport& report, const std::string& dir) {
  uint64_t corpus = 0;
  uint64_t seeds = 0;
  for (const CiGroup& group : report.groups) (group.corpus ? corpus : seeds) += group.runs;
  const int64_t real_ms = std::max<int64_t>(report.real_ms, 1);
  std::string text = absl::StrFormat(
      "revision %s: %d seeds and %d files of the corpus, %d of %d runs valid\n"
      "%d s of virtual time in %.1f s (%d times real time)\n",
      report.revision, seeds, corpus, report.Valid(), report.Runs(), report.virtual_us / 1000000,
      static_cast<double>(report.real_ms) / 1000, report.virtual_us / 1000 / real_ms);
  for (const std::string& gap : report.Gaps()) absl::StrAppend(&text, "incomplete: ", gap, "\n");
  for (size_t i = 0; i < report.failures.size() && i < kShown; ++i) {
    const CiFailure& failure = report.failures[i];
    absl::StrAppend(&text, "\n", failure.verdict, ": ", failure.property, "\n  in ", failure.runs,
                    failure.runs == 1 ? " run" : " runs", "; to see it again: ", failure.command,
                    "\n");
    if (failure.least_bytes != 0) {
      absl::StrAppend(&text, "  the smallest case: ", failure.least_faults, " faults, ",
                      failure.least_operations, " operations\n");
    }
    if (!failure.files.empty()) {
      absl::StrAppend(&text, "  more in ", dir, "/", failure.folder, "/\n");
    }
  }
  if (report.failures.size() > kShown) {
    absl::StrAppend(&text, "\nand ", report.failures.size() - kShown, " other failures\n");
  }
  absl::StrAppend(&text, "\nThe report: ", dir, "/index.html\n");
  return text;
}

}  // namespace norn::sim
