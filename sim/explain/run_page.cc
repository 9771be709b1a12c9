#include "sim/explain/run_page.h"

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/check.h"
#include "core/json_string.h"
#include "sim/explain/page_text.h"

namespace norn::sim {

namespace {

class Data {
 public:
  std::string Write(const Timeline& timeline, const Explanation& explanation) {
    const std::string arrows = List(timeline.arrows, [this](const Arrow& arrow) {
      return absl::StrCat("[", arrow.from, ",", arrow.to, ",", arrow.sent_us, ",", arrow.end_us,
                          ",", Place(arrow.name), ",", Place(arrow.key), ",", Place(arrow.lost),
                          ",", Place(arrow.text), "]");
    });
    const std::string bars = List(timeline.bars, [this](const Bar& bar) {
      return absl::StrCat("[", bar.client, ",", bar.via, ",", bar.invoked_us, ",",
                          Time(bar.arrived_us), ",", Time(bar.answered_us), ",",
                          Time(bar.returned_us), ",", Time(bar.gave_up_us), ",", Place(bar.kind),
                          ",", Place(bar.key), ",", Place(bar.outcome), ",", Place(bar.text), ",",
                          bar.marked ? 1 : 0, "]");
    });
    const std::string bands = List(timeline.bands, [&](const Band& band) {
      std::string need;
      for (const CausePart& cause : explanation.causes) {
        if (cause.fault == band.id) need = NeedName(cause.need.need);
      }
      return absl::StrCat("[", Place(band.kind), ",", Place(band.text), ",[",
                          absl::StrJoin(band.nodes, ","), "],", band.start_us, ",", band.end_us,
                          ",", band.effects, ",", Place(need), "]");
    });
    const std::string outages = List(timeline.outages, [this](const Outage& outage) {
      return absl::StrCat("[", outage.node, ",", outage.down_us, ",", outage.up_us, ",",
                          Place(outage.text), "]");
    });
    const std::string holdings = List(timeline.holdings, [this](const Holding& holding) {
      return absl::StrCat("[", holding.time_us, ",", holding.node, ",", Place(holding.key), ",",
                          Place(holding.text), "]");
    });
    const std::string keys =
        List(timeline.keys, [this](const std::string& key) { return absl::StrCat(Place(key)); });
    return absl::StrCat(
        "{\"explanation\":", ToJson(explanation), ",\n\"nodes\":", timeline.nodes, ",\"clients\":[",
        absl::StrJoin(timeline.clients, ","), "],\"end\":", timeline.end_us,
        ",\"from\":", timeline.from_us, ",\"to\":", timeline.to_us,
        ",\"moment\":", timeline.moment_us, ",\"keys\":", keys, ",\n\"arrows\":", arrows,
        ",\n\"bars\":", bars, ",\n\"bands\":", bands, ",\n\"outages\":", outages,
        ",\n\"holdings\":", holdings,
        ",\n\"strings\":", List(strings_, [](const std::string& text) { return JsonString(text); }),
        "}");
  }

 private:
  template <typename Thing>
  static std::string List(const std::vector<Thing>& things,
                          const std::function<std::string(const Thing&)>& one) {
    std::string json = "[";
    for (const Thing& thing : things)
      absl::StrAppend(&json, json.size() > 1 ? "," : "", one(thing));
    return json + "]";
  }
  template <typename Thing, typename Function>
  static std::string List(const std::vector<Thing>& things, Function one) {
    return List<Thing>(things, std::function<std::string(const Thing&)>(one));
  }

  static int64_t Time(int64_t time_us) { return time_us == kNever ? -1 : time_us; }

  size_t Place(const std::string& text) {
    const auto [it, added] = places_.emplace(text, strings_.size());
    if (added) strings_.push_back(text);
    return it->second;
  }

  std::vector<std::string> strings_;
  std::map<std::string, size_t> places_;
};

}  // namespace

std::string PageData(const Timeline& timeline, const Explanation& explanation) {
  return Data().Write(timeline, explanation);
}

std::string SafeInScript(absl::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    // Only strings hold these; there the escape means the same.
    if (c == '<' || c == '>' || c == '&') {
      absl::StrAppend(&safe, "\\u00", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      safe.push_back(c);
    }
  }
  return safe;
}

std::string RunPage(const Timeline& timeline, const Explanation& explanation) {
  static constexpr absl::string_view kMark = "@DATA@";
  const absl::string_view page(kPageText);
  const size_t at = page.find(kMark);
  CORE_CHECK(at != absl::string_view::npos);
  return absl::StrCat(page.substr(0, at), SafeInScript(PageData(timeline, explanation)),
                      page.substr(at + kMark.size()));
}

}  // namespace norn::sim
