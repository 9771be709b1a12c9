#include "sim/ci/report_page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sim/ci/markup.h"
#include "sim/universe.h"

namespace norn::sim {

namespace {

constexpr char kStyle[] = R"(
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; }
table { border-collapse: collapse; }
td, th { padding: 0.15em 1em 0.15em 0; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f4f4f2; padding: 0.6em 0.8em; overflow-x: auto; white-space: pre-wrap; }
h2 { margin-top: 2em; } h3 { margin-bottom: 0.2em; }
.bad { color: #a40000; } .good { color: #22662b; } .unsure { color: #7a5b00; }
@media (prefers-color-scheme: dark) {
  body { background: #1b1b1a; color: #ddd; } pre { background: #2a2a28; } a { color: #8ab4f8; }
  .bad { color: #ff8a80; } .good { color: #81c784; } .unsure { color: #e6c15a; }
}
)";

std::string Outcome(const CiReport& report) {
  switch (report.ExitCode()) {
    case kExitValid:
      return "<span class=\"good\">valid</span>";
    case kExitViolated:
      return "<span class=\"bad\">a property was violated</span>";
    case kExitNoProgress:
      return "<span class=\"bad\">no progress after healing</span>";
    case kExitCrashed:
      return "<span class=\"bad\">a run crashed</span>";
    default:
      return "<span class=\"unsure\">inconclusive</span>";
  }
}

std::string Row(const CiGroup& group) {
  const char* look = group.runs == 0 ? "unsure" : group.valid == group.runs ? "good" : "bad";
  return absl::StrCat(
      "<tr><td>", EscapeMarkup(group.name), "<td class=\"n\">", group.runs, "<td class=\"n ", look,
      "\">", group.runs == 0 ? std::string("not run") : absl::StrCat(group.valid, " valid"), "\n");
}

std::string Groups(const CiReport& report, bool corpus, const char* title) {
  std::string rows;
  for (const CiGroup& group : report.groups) {
    if (group.corpus == corpus) absl::StrAppend(&rows, Row(group));
  }
  if (rows.empty()) return "";
  return absl::StrCat("<h2>", title,
                      "</h2>\n<table>\n<tr><th><th class=\"n\">runs<th class=\"n\">\n", rows,
                      "</table>\n");
}

std::string Failure(const CiFailure& failure) {
  std::string html = absl::StrCat("<h3 id=\"", EscapeMarkup(failure.folder),
                                  "\"><span class=\"bad\">", EscapeMarkup(failure.verdict),
                                  "</span> ", EscapeMarkup(failure.property), "</h3>\n");
  absl::StrAppend(&html, "<p>In ", failure.runs, failure.runs == 1 ? " run." : " runs.");
  if (failure.least_bytes != 0) {
    absl::StrAppend(&html, " The smallest case has ", failure.least_faults, " faults and ",
                    failure.least_operations, " operations.");
  }
  absl::StrAppend(
      &html, "\n<p>",
      absl::StrJoin(failure.files, " &middot; ", [&](std::string* out, const std::string& file) {
        const std::string name = EscapeMarkup(file);
        absl::StrAppend(out, "<a href=\"", failure.folder, "/", name, "\">", name, "</a>");
      }));
  absl::StrAppend(&html, "\n<p>To see it again:\n<pre>", EscapeMarkup(failure.command), "</pre>\n");
  if (!failure.witness.empty() || !failure.config.empty()) {
    absl::StrAppend(&html, "<pre>", EscapeMarkup(failure.witness),
                    failure.witness.empty() ? "" : "\n", EscapeMarkup(failure.config), "</pre>\n");
  }
  if (!failure.others.empty()) {
    absl::StrAppend(&html, "<details><summary>Other runs</summary><pre>",
                    EscapeMarkup(absl::StrJoin(failure.others, "\n")), "</pre></details>\n");
  }
  return html;
}

std::string Counts(const char* title, const std::map<std::string, uint64_t>& counts) {
  std::string html = absl::StrCat("<h2>", title, "</h2>\n<table>\n");
  for (const auto& [name, count] : counts) {
    absl::StrAppend(&html, "<tr><td>", EscapeMarkup(name), "<td class=\"n\">", count, "\n");
  }
  return html + "</table>\n";
}

}  // namespace

std::string ReportPage(const CiReport& report) {
  std::string html = absl::StrCat(
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>norn-sim ci: ",
      EscapeMarkup(report.revision), "</title>\n<style>", kStyle,
      "</style>\n<h1>norn-sim ci: ", Outcome(report), "</h1>\n<p>Revision ",
      EscapeMarkup(report.revision), ". Shards ", absl::StrJoin(report.done, ", "), " of ",
      report.shards, ". ", report.Runs(), " runs, ", report.Valid(),
      " valid: ", report.virtual_us / 1'000'000, " s of virtual time in ",
      absl::StrFormat("%.1f s, ", static_cast<double>(report.real_ms) / 1000), report.events,
      " events, ", report.messages, " messages, ", report.file_operations, " file operations.\n");
  for (const std::string& gap : report.Gaps()) {
    absl::StrAppend(&html, "<p class=\"unsure\">Incomplete: ", EscapeMarkup(gap), ".\n");
  }
  if (!report.failures.empty()) absl::StrAppend(&html, "<h2>Failures</h2>\n");
  for (const CiFailure& failure : report.failures) absl::StrAppend(&html, Failure(failure));
  absl::StrAppend(&html, Groups(report, /*corpus=*/false, "Seeds, by their options"),
                  Groups(report, /*corpus=*/true, "The corpus"),
                  Counts("Faults that took effect", report.fault_effects),
                  Counts("What clients were told", report.outcomes));
  return html;
}

}  // namespace norn::sim
