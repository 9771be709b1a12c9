#include "tools/dump/console.h"

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace norn::dump {
namespace {

absl::string_view TypeOf(Gravity gravity) {
  switch (gravity) {
    case Gravity::kNotice:
      return "notice";
    case Gravity::kDamage:
      return "damage";
    case Gravity::kUnreadable:
      return "unreadable";
  }
  return "";
}

absl::string_view TitleOf(Gravity gravity) {
  switch (gravity) {
    case Gravity::kNotice:
      return "note";
    case Gravity::kDamage:
      return "DAMAGE";
    case Gravity::kUnreadable:
      return "norn-dump";
  }
  return "";
}

}  // namespace

void Console::Print(const Fact& fact, int indent) {
  Progress("");
  out_ << (json_ ? fact.Json() + "\n" : fact.Lines(indent));
}

void Console::Report(const Finding& finding) {
  Progress("");
  switch (finding.gravity) {
    case Gravity::kNotice:
      ++notices_;
      break;
    case Gravity::kDamage:
      ++damages_;
      damaged_files_.insert(finding.file);
      break;
    case Gravity::kUnreadable:
      ++unreadables_;
      break;
  }
  Fact fact(TypeOf(finding.gravity));
  fact.Text("file", finding.file);
  if (finding.offset.has_value()) fact.Number("offset", *finding.offset);
  fact.Text("what", finding.what);
  if (!finding.remedy.empty()) fact.Text("remedy", finding.remedy);
  fact.Say(
      absl::StrCat(TitleOf(finding.gravity), ": ", finding.file,
                   finding.offset.has_value() ? absl::StrCat(" at offset ", *finding.offset) : "",
                   ": ", finding.what, finding.remedy.empty() ? "" : "; ", finding.remedy));
  if (json_) {
    out_ << fact.Json() << "\n";
  } else {
    (finding.gravity == Gravity::kUnreadable ? err_ : out_) << fact.Lines();
  }
}

void Console::Progress(absl::string_view line) {
  if (!shows_progress_ || (line.empty() && progress_columns_ == 0)) return;
  const std::string blank(progress_columns_, ' ');
  err_ << "\r" << blank << "\r" << line << std::flush;
  progress_columns_ = line.size();
}

int Console::ExitCode() const {
  if (damages_ > 0) return kExitDamage;
  return unreadables_ > 0 ? kExitUnusable : kExitFine;
}

}  // namespace norn::dump
