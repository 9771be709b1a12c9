#include "benchmarks/engines/report.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/check.h"

namespace norn::benchmarks {
namespace {

// Kernel threads that write back take some of it.
constexpr double kDisturbedCores = 0.25;

// Three significant digits, or all before the point.
std::string Figure(std::optional<double> value) {
  if (!value.has_value()) return "-";
  const double size = std::fabs(*value);
  if (size >= 100) return absl::StrFormat("%.0f", *value);
  if (size >= 10) return absl::StrFormat("%.1f", *value);
  return absl::StrFormat("%.2f", *value);
}

// "1.25" where the first engine is ahead or level, "0.80 <" where it is behind.
std::string Ratio(const Row& row, size_t peer) {
  const std::optional<double> mine = row.Of(0);
  const std::optional<double> other = row.Of(peer);
  if (!mine.has_value() || !other.has_value() || *other == 0) return "-  ";
  const double ratio = *mine / *other;
  const bool behind = row.higher_is_better ? ratio < 1 : ratio > 1;
  return absl::StrFormat("%.2f %s", ratio, behind ? "<" : " ");
}

}  // namespace

std::optional<double> Row::Of(size_t column) const {
  std::vector<double> sorted = figures[column];
  if (sorted.empty()) return std::nullopt;
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

void Report::Add(absl::string_view group, absl::string_view column, const Measurement& measured,
                 double other_cores) {
  double& most = most_other_cores_[std::string(group)];
  most = std::max(most, other_cores);
  const auto found = std::find(columns_.begin(), columns_.end(), std::string(column));
  CORE_CHECK(found != columns_.end());
  const auto at = static_cast<size_t>(found - columns_.begin());
  AddFigure(group, "throughput", "op/s", true, at, measured.ops_per_second);
  AddFigure(group, "p50", "us", false, at, measured.p50_us);
  AddFigure(group, "p99", "us", false, at, measured.p99_us);
  AddFigure(group, "p99.9", "us", false, at, measured.p999_us);
  AddFigure(group, "cpu", "us/op", false, at, measured.cpu_us_per_op);
  AddFigure(group, "write amplification", "x", false, at, measured.write_amplification);
  AddFigure(group, "space amplification", "x", false, at, measured.space_amplification);
  AddFigure(group, "peak memory", "MiB", false, at, measured.peak_memory_mib);
}

void Report::AddFigure(absl::string_view group, absl::string_view metric, absl::string_view unit,
                       bool higher_is_better, size_t column, double figure) {
  if (std::isnan(figure)) return;
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& candidate) {
    return candidate.group == group && candidate.metric == metric;
  });
  if (row == rows_.end()) {
    rows_.push_back({.group = std::string(group),
                     .metric = std::string(metric),
                     .unit = std::string(unit),
                     .higher_is_better = higher_is_better,
                     .figures = std::vector<std::vector<double>>(columns_.size())});
    row = rows_.end() - 1;
  }
  row->figures[column].push_back(figure);
}

std::string Report::Table(absl::string_view group) const {
  // Columns with nothing in them are left out.
  std::vector<size_t> shown;
  for (size_t column = 0; column < columns_.size(); ++column) {
    if (std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
          return row.group == group && !row.figures[column].empty();
        })) {
      shown.push_back(column);
    }
  }
  std::string text = absl::StrFormat("%-34s%-7s", group, "");
  for (const size_t column : shown) absl::StrAppendFormat(&text, "%12s", columns_[column]);
  for (const size_t peer : shown) {
    if (peer == 0 || shown[0] != 0) continue;
    absl::StrAppendFormat(&text, "%16s  ", columns_[0] + "/" + columns_[peer]);
  }
  text += "\n";
  for (const Row& row : rows_) {
    if (row.group != group) continue;
    absl::StrAppendFormat(&text, "  %-32s%-7s", row.metric, row.unit);
    for (const size_t column : shown) {
      absl::StrAppendFormat(&text, "%12s", Figure(row.Of(column)));
    }
    for (const size_t peer : shown) {
      if (peer == 0 || shown[0] != 0) continue;
      absl::StrAppendFormat(&text, "%18s", Ratio(row, peer));
    }
    text += "\n";
  }
  const double disturbed = most_other_cores_.at(std::string(group));
  if (disturbed >= kDisturbedCores) {
    absl::StrAppendFormat(&text, "  disturbed: other programs used up to %.1f cores\n", disturbed);
  }
  return text;
}

std::string Report::Json() const {
  std::string text = "{\"rows\":[";
  const char* separator = "\n";
  for (const Row& row : rows_) {
    absl::StrAppend(&text, separator, "{\"name\":\"", row.name(), "\",\"unit\":\"", row.unit,
                    "\",\"better\":\"", row.higher_is_better ? "higher" : "lower", "\"");
    for (size_t column = 0; column < columns_.size(); ++column) {
      const std::optional<double> value = row.Of(column);
      if (!value.has_value()) continue;
      absl::StrAppendFormat(&text, ",\"%s\":%.6g", columns_[column], *value);
    }
    text += "}";
    separator = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace norn::benchmarks
