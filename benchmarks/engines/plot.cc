#include "benchmarks/engines/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace norn::benchmarks {
namespace {

constexpr double kLabelWidth = 230;
constexpr double kPanelWidth = 250;
constexpr double kPanelGap = 30;
constexpr double kTop = 84;
constexpr double kBarHeight = 11;
constexpr double kLineGap = 10;
constexpr double kBottom = 30;
constexpr double kOctaves = 4;  // to either side of 1: from 1/16 to 16

constexpr std::array<const char*, 4> kColors = {"#4878a8", "#e08a3c", "#6aa84f", "#999999"};

struct Panel {
  const char* metric;
  const char* title;
};
constexpr std::array<Panel, 4> kPanels = {{{"throughput", "throughput"},
                                           {"p99", "latency, p99"},
                                           {"cpu", "processor time per operation"},
                                           {"write amplification", "write amplification"}}};

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Text(double x, double y, const char* attributes, const std::string& text) {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, attributes,
                         Escape(text));
}

// How many times better the first column is than `peer`.
std::optional<double> Advantage(const Row& row, size_t peer) {
  const std::optional<double> mine = row.Of(0);
  const std::optional<double> other = row.Of(peer);
  if (!mine.has_value() || !other.has_value() || *mine <= 0 || *other <= 0) return std::nullopt;
  return row.higher_is_better ? *mine / *other : *other / *mine;
}

const Row* Find(const Report& report, const std::string& group, const char* metric) {
  for (const Row& row : report.rows()) {
    if (row.group == group && row.metric == metric) return &row;
  }
  return nullptr;
}

// Groups with something to draw, in the order of the report.
std::vector<std::string> Groups(const Report& report) {
  std::vector<std::string> groups;
  for (const Row& row : report.rows()) {
    bool drawn = std::any_of(kPanels.begin(), kPanels.end(),
                             [&](const Panel& panel) { return row.metric == panel.metric; });
    for (size_t peer = 1; drawn && peer < report.columns().size(); ++peer) {
      if (!Advantage(row, peer).has_value()) continue;
      if (std::find(groups.begin(), groups.end(), row.group) == groups.end()) {
        groups.push_back(row.group);
      }
    }
  }
  return groups;
}

// Where a ratio is in a panel: logarithmic, and cut off at both ends.
double XOf(double left, double ratio) {
  const double octaves = std::clamp(std::log2(ratio), -kOctaves, kOctaves);
  return left + kPanelWidth * (octaves + kOctaves) / (2 * kOctaves);
}

std::string Axis(double left, double bottom, const Panel& panel) {
  std::string svg = Text(left + kPanelWidth / 2, kTop - 26,
                         "text-anchor=\"middle\" font-weight=\"bold\"", panel.title);
  for (int octave = -static_cast<int>(kOctaves); octave <= static_cast<int>(kOctaves);
       octave += 2) {
    const double x = XOf(left, std::exp2(octave));
    absl::StrAppendFormat(&svg,
                          "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
                          x, kTop - 4, x, bottom, octave == 0 ? "#444" : "#ddd");
    svg += Text(x, kTop - 9, "text-anchor=\"middle\" fill=\"#666\" font-size=\"10\"",
                octave < 0 ? absl::StrCat("1/", 1 << -octave) : absl::StrCat(1 << octave));
  }
  return svg;
}

std::string Bar(double left, double y, double advantage, const char* color) {
  const double one = XOf(left, 1);
  const double end = XOf(left, advantage);
  const bool ahead = advantage >= 1;
  return absl::StrFormat(
             "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
             std::min(one, end), y, std::max(std::fabs(end - one), 0.5), kBarHeight - 1, color) +
         Text(ahead ? end + 3 : end - 3, y + kBarHeight - 2,
              ahead ? "font-size=\"10\"" : "font-size=\"10\" text-anchor=\"end\"",
              absl::StrFormat("%.2f", advantage));
}

}  // namespace

std::string RatioPlot(const Report& report, const std::string& title) {
  const std::vector<std::string> groups = Groups(report);
  std::vector<size_t> peers;
  for (size_t column = 1; column < report.columns().size(); ++column) {
    if (report.columns()[column] != "bare") peers.push_back(column);
  }
  const double line = static_cast<double>(peers.size()) * kBarHeight + kLineGap;
  const double bottom = kTop + static_cast<double>(groups.size()) * line;
  const double width =
      kLabelWidth + static_cast<double>(kPanels.size()) * (kPanelWidth + kPanelGap) + kPanelGap;
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
      width, bottom + kBottom);
  svg += Text(16, 24, "font-size=\"15\" font-weight=\"bold\"", title);
  svg += Text(16, 42, "fill=\"#444\"",
              absl::StrCat("How many times better ", report.columns()[0],
                           " is; to the left of 1 it is worse. Logarithmic."));
  double legend = width - 150 * static_cast<double>(peers.size());
  for (size_t i = 0; i < peers.size(); ++i, legend += 150) {
    absl::StrAppendFormat(&svg,
                          "<rect x=\"%.1f\" y=\"15\" width=\"11\" height=\"11\" fill=\"%s\"/>\n",
                          legend, kColors[i % kColors.size()]);
    svg += Text(legend + 16, 25, "", absl::StrCat("than ", report.columns()[peers[i]]));
  }
  for (size_t p = 0; p < kPanels.size(); ++p) {
    const double left = kLabelWidth + static_cast<double>(p) * (kPanelWidth + kPanelGap);
    svg += Axis(left, bottom, kPanels[p]);
    for (size_t g = 0; g < groups.size(); ++g) {
      const Row* const row = Find(report, groups[g], kPanels[p].metric);
      const double top = kTop + static_cast<double>(g) * line + kLineGap / 2;
      for (size_t i = 0; row != nullptr && i < peers.size(); ++i) {
        const std::optional<double> advantage = Advantage(*row, peers[i]);
        if (!advantage.has_value()) continue;
        svg += Bar(left, top + static_cast<double>(i) * kBarHeight, *advantage,
                   kColors[i % kColors.size()]);
      }
    }
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    svg += Text(16, kTop + (static_cast<double>(g) + 0.5) * line + 4, "", groups[g]);
  }
  return svg + "</svg>\n";
}

}  // namespace norn::benchmarks
