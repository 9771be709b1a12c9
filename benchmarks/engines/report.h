// The figures of all engines, row by row: as a table, as JSON, and for the plot.

#ifndef NORN_BENCHMARKS_ENGINES_REPORT_H_
#define NORN_BENCHMARKS_ENGINES_REPORT_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "benchmarks/engines/workloads.h"

namespace norn::benchmarks {

struct Row {
  std::string group;   // "100 B readrandom"
  std::string metric;  // "throughput"
  std::string unit;    // "op/s"
  bool higher_is_better = false;
  // By column, as Report::columns() names them: a figure for each slice and round; none if not
  // measured.
  std::vector<std::vector<double>> figures;

  std::string name() const { return group + " " + metric; }
  // The median.
  std::optional<double> Of(size_t column) const;
};

class Report {
 public:
  // The first column is compared with the others.
  explicit Report(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  // Adds one engine's figures of one slice or round to the rows of `group`. Meanwhile other
  // programs kept `other_cores` cores busy.
  void Add(absl::string_view group, absl::string_view column, const Measurement& measured,
           double other_cores);

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<Row>& rows() const { return rows_; }

  // The rows of `group`, which has some, with ratios, for people.
  std::string Table(absl::string_view group) const;
  std::string Json() const;

 private:
  void AddFigure(absl::string_view group, absl::string_view metric, absl::string_view unit,
                 bool higher_is_better, size_t column, double figure);

  std::vector<std::string> columns_;
  std::vector<Row> rows_;
  std::map<std::string, double> most_other_cores_;  // by group
};

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_REPORT_H_
