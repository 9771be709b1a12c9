#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "sim/ci/ci_report.h"
#include "sim/ci/markup.h"
#include "sim/ci/seed_plan.h"
#include "sim/universe.h"

namespace norn::sim {

namespace {

using Json = nlohmann::ordered_json;
using Counts = std::map<std::string, uint64_t>;

Json FromCounts(const Counts& counts) {
  Json object = Json::object();
  for (const auto& [name, count] : counts) object[Visible(name)] = count;
  return object;
}

Json FromTexts(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(Visible(text));
  return list;
}

Json FromGroup(const CiGroup& group) {
  return {{"name", Visible(group.name)},
          {"corpus", group.corpus},
          {"runs", group.runs},
          {"valid", group.valid},
          {"failures", FromCounts(group.failures)}};
}

Json FromFailure(const CiFailure& failure) {
  return {{"fingerprint", Visible(failure.fingerprint)},
          {"exit_code", failure.exit_code},
          {"verdict", Visible(failure.verdict)},
          {"property", Visible(failure.property)},
          {"witness", Visible(failure.witness)},
          {"config", Visible(failure.config)},
          {"runs", failure.runs},
          {"command", Visible(failure.command)},
          {"others", FromTexts(failure.others)},
          {"folder", Visible(failure.folder)},
          {"files", FromTexts(failure.files)},
          {"least_bytes", failure.least_bytes},
          {"least_faults", failure.least_faults},
          {"least_operations", failure.least_operations}};
}

// Takes fields out of an object, and remembers the first that is not as it should be.
class Fields {
 public:
  Fields(const Json& object, std::string where, std::string* wrong)
      : object_(object), where_(std::move(where)), wrong_(*wrong) {
    if (!object.is_object()) Complain(absl::StrCat(where_, " is no object"));
  }

  void Take(const char* name, std::string* text) {
    const Json* field = Field(name, &Json::is_string, "text");
    if (field != nullptr) *text = field->get<std::string>();
  }
  void Take(const char* name, bool* yes) {
    const Json* field = Field(name, &Json::is_boolean, "true or false");
    if (field != nullptr) *yes = field->get<bool>();
  }
  void Take(const char* name, uint64_t* number) {
    const Json* field = Field(name, &Json::is_number_unsigned, "a number from 0 up");
    if (field != nullptr) *number = field->get<uint64_t>();
  }
  void Take(const char* name, int64_t* number) {
    uint64_t positive = 0;
    Take(name, &positive);
    *number = static_cast<int64_t>(positive);
  }
  void Take(const char* name, Counts* counts) {
    const Json* field = Field(name, &Json::is_object, "an object of counts");
    if (field == nullptr) return;
    for (const auto& [key, count] : field->items()) {
      if (!count.is_number_unsigned()) return Complain(absl::StrCat(where_, ".", name));
      (*counts)[key] = count.get<uint64_t>();
    }
  }
  void Each(const char* name, const std::function<void(const Json& element)>& take) {
    const Json* field = Field(name, &Json::is_array, "a list");
    if (field == nullptr) return;
    for (const Json& element : *field) take(element);
  }
  void Take(const char* name, std::vector<std::string>* texts) {
    Each(name, [&](const Json& element) {
      if (!element.is_string()) return Complain(absl::StrCat(where_, ".", name));
      texts->push_back(element.get<std::string>());
    });
  }

 private:
  void Complain(const std::string& text) {
    if (wrong_.empty()) wrong_ = text;
  }
  const Json* Field(const char* name, bool (Json::*is)() const noexcept, const char* what) {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    if (found != object_.end() && ((*found).*is)()) return &*found;
    Complain(absl::StrCat(where_, ".", name, " must be there, and ", what));
    return nullptr;
  }

  const Json& object_;
  const std::string where_;
  std::string& wrong_;
};

CiGroup TakeGroup(const Json& json, std::string* wrong) {
  CiGroup group;
  Fields fields(json, "group", wrong);
  fields.Take("name", &group.name);
  fields.Take("corpus", &group.corpus);
  fields.Take("runs", &group.runs);
  fields.Take("valid", &group.valid);
  fields.Take("failures", &group.failures);
  return group;
}

// Names of files are not taken from elsewhere: a report may come from a stranger.
bool IsPlainName(absl::string_view name) {
  return !name.empty() && name[0] != '.' && name.find('/') == absl::string_view::npos &&
         name.find('\\') == absl::string_view::npos;
}

CiFailure TakeFailure(const Json& json, std::string* wrong) {
  CiFailure failure;
  Fields fields(json, "failure", wrong);
  uint64_t exit_code = 0;
  fields.Take("fingerprint", &failure.fingerprint);
  fields.Take("exit_code", &exit_code);
  fields.Take("verdict", &failure.verdict);
  fields.Take("property", &failure.property);
  fields.Take("witness", &failure.witness);
  fields.Take("config", &failure.config);
  fields.Take("runs", &failure.runs);
  fields.Take("command", &failure.command);
  fields.Take("others", &failure.others);
  fields.Take("folder", &failure.folder);
  fields.Take("files", &failure.files);
  fields.Take("least_bytes", &failure.least_bytes);
  fields.Take("least_faults", &failure.least_faults);
  fields.Take("least_operations", &failure.least_operations);
  failure.exit_code = static_cast<int>(exit_code);
  bool plain = failure.folder.empty() || failure.folder == FolderOf(failure.fingerprint);
  for (const std::string& file : failure.files) plain = plain && IsPlainName(file);
  if (!plain && wrong->empty()) *wrong = "failure.folder or one of its files has a strange name";
  const bool failed = exit_code >= kExitViolated && exit_code <= kExitCrashed;
  if (!failed && wrong->empty()) *wrong = "failure.exit_code is not that of a failure";
  return failure;
}

}  // namespace

std::string ToJson(const CiReport& report) {
  Json groups = Json::array();
  for (const CiGroup& group : report.groups) groups.push_back(FromGroup(group));
  Json failures = Json::array();
  for (const CiFailure& failure : report.failures) failures.push_back(FromFailure(failure));
  const Json json = {{"format", kCiReportFormat},
                     {"revision", Visible(report.revision)},
                     {"shards", report.shards},
                     {"done", report.done},
                     {"exit_code", report.ExitCode()},
                     {"gaps", FromTexts(report.Gaps())},
                     {"budget_ms", report.budget_ms},
                     {"real_ms", report.real_ms},
                     {"interrupted", report.interrupted},
                     {"runs", report.Runs()},
                     {"valid", report.Valid()},
                     {"virtual_us", report.virtual_us},
                     {"events", report.events},
                     {"messages", report.messages},
                     {"file_operations", report.file_operations},
                     {"groups", groups},
                     {"failures", failures},
                     {"outcomes", FromCounts(report.outcomes)},
                     {"fault_effects", FromCounts(report.fault_effects)}};
  return json.dump(1) + "\n";
}

absl::StatusOr<CiReport> ParseCiReport(absl::string_view text, const std::string& path) {
  const Json json =
      Json::parse(text.begin(), text.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object() || !json.contains("format")) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": this is no report of norn-sim ci, or not all of one"));
  }
  if (json["format"] != kCiReportFormat) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": the report has format ", json["format"].dump(), ", and this norn-sim reads ",
        kCiReportFormat, ": merge with the norn-sim that wrote it"));
  }
  CiReport report;
  std::string wrong;
  Fields fields(json, "report", &wrong);
  fields.Take("revision", &report.revision);
  fields.Take("shards", &report.shards);
  fields.Take("budget_ms", &report.budget_ms);
  fields.Take("real_ms", &report.real_ms);
  fields.Take("interrupted", &report.interrupted);
  fields.Take("virtual_us", &report.virtual_us);
  fields.Take("events", &report.events);
  fields.Take("messages", &report.messages);
  fields.Take("file_operations", &report.file_operations);
  fields.Take("outcomes", &report.outcomes);
  fields.Take("fault_effects", &report.fault_effects);
  fields.Each("done", [&](const Json& shard) {
    const bool number = shard.is_number_unsigned();
    const uint64_t value = number ? shard.get<uint64_t>() : 0;
    if (value >= 1 && value <= report.shards) {
      report.done.insert(value);
    } else if (wrong.empty()) {
      wrong = "report.done must be shards from 1 to report.shards";
    }
  });
  fields.Each("groups",
              [&](const Json& group) { report.groups.push_back(TakeGroup(group, &wrong)); });
  fields.Each("failures", [&](const Json& failure) {
    report.failures.push_back(TakeFailure(failure, &wrong));
  });
  if (wrong.empty() && (report.shards < 1 || report.shards > kShardsMax)) {
    wrong = absl::StrCat("report.shards is ", report.shards, ": it must be 1 to ", kShardsMax);
  }
  if (!wrong.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", wrong));
  return report;
}

}  // namespace norn::sim
