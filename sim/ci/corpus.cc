#include "sim/ci/corpus.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sim/campaign.h"
#include "sim/case.h"
#include "sim/scenario.h"
#include "sim/store_subject.h"
#include "sim/text_proto.h"

namespace norn::sim {

namespace {

bool IsCase(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripLeadingAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "format") &&
        absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), ":")) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<CorpusFile> LoadFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path, "case or scenario");
  if (!text.ok()) return text.status();
  CorpusFile file;
  file.path = path;
  if (IsCase(*text)) {
    auto written = ParseCase(NornStore(), *text, path);
    if (!written.ok()) return written.status();
    auto made = MakeCase(NornStore(), *written);
    if (!made.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", made.status().message()));
    }
    file.written = *std::move(written);
    file.run.replay = *std::move(made);
    return file;
  }
  auto scenario = ParseScenario(*text, path);
  if (!scenario.ok()) return scenario.status();
  file.violated = (*scenario)->script.has_expect_violation_until();
  file.run.scenario = *std::move(scenario);
  return file;
}

absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& folder) {
  std::error_code failed;
  std::vector<std::string> paths;
  std::filesystem::directory_iterator at(folder, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    if (at->path().extension() == ".textproto") paths.push_back(at->path().string());
  }
  if (failed) {
    return absl::NotFoundError(
        absl::StrCat(folder, ": this folder of --corpus cannot be read: ", failed.message()));
  }
  if (paths.empty()) {
    return absl::NotFoundError(
        absl::StrCat(folder, ": there is no *.textproto in this folder of --corpus"));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::string CorpusFile::Command() const {
  return written.has_value() ? absl::StrCat("norn-sim replay ", path) : CommandOf(run, run.seed);
}

absl::StatusOr<std::vector<CorpusFile>> LoadCorpus(const std::vector<std::string>& folders) {
  std::vector<CorpusFile> corpus;
  for (const std::string& folder : folders) {
    const auto paths = FilesOf(folder);
    if (!paths.ok()) return paths.status();
    for (const std::string& path : *paths) {
      auto file = LoadFile(path);
      if (!file.ok()) return file.status();
      corpus.push_back(*std::move(file));
    }
  }
  return corpus;
}

}  // namespace norn::sim
