#include "sim/protocol_case.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/case_report.h"

namespace norn::sim {

namespace {

constexpr int64_t kLongestUs = int64_t{1} << 50;

// The settings that every protocol has. `see(name, least, the setting)`.
template <typename Config, typename See>
void VisitCommon(Config& config, See&& see) {
  see("network.delay_min_us", 0, config.delay_min_us);
  see("network.delay_max_us", 0, config.delay_max_us);
  see("client.patience_us", 1, config.clients.patience_us);
  see("client.way_min_us", 0, config.clients.way_min_us);
  see("client.way_max_us", 0, config.clients.way_max_us);
}

absl::Status TakeKnob(const Protocol& protocol, const v1::CaseKnob& knob, ProtocolConfig* config) {
  if (knob.has_only_node()) {
    return absl::InvalidArgumentError("only_node: settings of a protocol are of all nodes");
  }
  bool found = false;
  std::string wrong;
  VisitCommon(*config, [&](const char* name, int64_t least, int64_t& setting) {
    if (knob.name() != name) return;
    found = true;
    setting = knob.value();
    if (setting < least || setting > kLongestUs) {
      wrong = absl::StrCat(name, " is ", setting, ": it must be ", least, " to ", kLongestUs);
    }
  });
  if (!wrong.empty()) return absl::InvalidArgumentError(wrong);
  if (found) return absl::OkStatus();
  return SetSetting(protocol, knob.name(), knob.value(), &config->settings);
}

// What is wrong, or nothing.
std::string Check(const v1::CaseOperation& operation) {
  if (operation.name().empty()) return "the operation has no name: what does it ask?";
  const bool of_store = operation.has_kind() || operation.has_base() || operation.has_quorum() ||
                        operation.has_ttl_us() || operation.has_pad_bytes() ||
                        operation.has_level();
  return of_store ? "kind, base, quorum, level, ttl_us and pad_bytes are of Norn's store" : "";
}

}  // namespace

std::map<std::string, int64_t> UsualSettings(const Protocol& protocol) {
  std::map<std::string, int64_t> settings;
  for (const ProtocolSetting& setting : protocol.Settings()) settings[setting.name] = setting.usual;
  return settings;
}

absl::Status SetSetting(const Protocol& protocol, const std::string& name, int64_t value,
                        std::map<std::string, int64_t>* settings) {
  std::vector<std::string> names;
  for (const ProtocolSetting& setting : protocol.Settings()) {
    names.push_back(setting.name);
    if (setting.name != name) continue;
    if (value < setting.least || value > setting.most) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " is ", value, ": it must be ", setting.least, " to ", setting.most));
    }
    (*settings)[name] = value;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", name, "\" is no setting of ", protocol.Name(), ": it has ",
                   names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

std::string ToString(const Protocol& protocol, const ProtocolConfig& config) {
  std::string text = absl::StrCat(protocol.Name(), ": ", config.nodes, " nodes, ",
                                  config.clients.clients, " clients, messages take ",
                                  config.delay_min_us, " to ", config.delay_max_us, " us");
  for (const auto& [name, value] : config.settings) absl::StrAppend(&text, ", ", name, "=", value);
  return text;
}

std::optional<CaseProblem> MakeProtocolCase(const Protocol& protocol, const v1::Case& written,
                                            std::shared_ptr<const Case>* made) {
  if (written.protocol() != protocol.Name()) {
    return CaseProblem{
        "protocol", -1,
        absl::StrCat("the case is of ",
                     written.protocol().empty() ? "Norn's store" : written.protocol(),
                     ", and this program runs ", protocol.Name())};
  }
  if (written.has_bucket()) {
    return CaseProblem{"bucket", -1, "buckets are of Norn's store: a protocol has none"};
  }
  if (written.link_size() > 0 || written.claim_size() > 0 || written.has_healing_us()) {
    const char* const field = written.link_size() > 0    ? "link"
                              : written.claim_size() > 0 ? "claim"
                                                         : "healing_us";
    return CaseProblem{field, 0, absl::StrCat(field, " is of Norn's store: a protocol has none")};
  }
  auto own = std::make_shared<ProtocolCase>();
  TakeCommon(written, own.get());
  own->held_when_down = "before that";
  ProtocolConfig& config = own->config;
  config.nodes = written.node_size();
  config.delay_min_us = config.delay_max_us = kCaseDelayUs;
  config.clients.way_min_us = config.clients.way_max_us = kCaseWayUs;
  config.settings = UsualSettings(protocol);
  for (int i = 0; i < written.knob_size(); ++i) {
    const absl::Status set = TakeKnob(protocol, written.knob(i), &config);
    if (!set.ok()) return CaseProblem{"knob", i, std::string(set.message())};
  }
  if (config.delay_min_us > config.delay_max_us ||
      config.clients.way_min_us > config.clients.way_max_us) {
    return CaseProblem{"knob", -1, "the least delay is above the greatest"};
  }
  for (int i = 0; i < written.fault_size(); ++i) {
    const auto kind = static_cast<FaultKind>(written.fault(i).kind());
    if (protocol.Stands(kind)) continue;
    return CaseProblem{"fault", i,
                       absl::StrCat(protocol.Name(), " is not to stand this: ", FaultKindName(kind),
                                    " (Protocol::Stands)")};
  }
  for (int i = 0; i < written.operation_size(); ++i) {
    const v1::CaseOperation& from = written.operation(i);
    if (std::string wrong = Check(from); !wrong.empty()) return CaseProblem{"operation", i, wrong};
    ProtocolOperation operation;
    operation.id = from.id();
    operation.at_us = from.at_us();
    operation.client = static_cast<int>(from.client());
    operation.node = static_cast<NodeId>(from.via());
    operation.asked = {from.name(), from.key(), from.value(), from.expected()};
    config.clients.clients = std::max(config.clients.clients, operation.client);
    own->script.push_back(std::move(operation));
  }
  std::stable_sort(
      own->script.begin(), own->script.end(),
      [](const ProtocolOperation& a, const ProtocolOperation& b) { return a.at_us < b.at_us; });
  *made = std::move(own);
  return std::nullopt;
}

v1::CaseReport ReportProtocolSetup(const Protocol& protocol, uint64_t seed, int64_t until_us,
                                   const ProtocolConfig& config, const std::vector<Fault>& plan) {
  v1::CaseReport report = ReportSetup(seed, until_us, ToString(protocol, config), plan);
  v1::Case& written = *report.mutable_recorded();
  written.set_protocol(protocol.Name());
  for (int i = 0; i < config.nodes; ++i) written.add_node();
  const auto add = [&written](const std::string& name, int64_t value) {
    v1::CaseKnob& knob = *written.add_knob();
    knob.set_name(name);
    knob.set_value(value);
  };
  VisitCommon(config, [&add](const char* name, int64_t, int64_t value) { add(name, value); });
  for (const auto& [name, value] : config.settings) add(name, value);
  return report;
}

v1::CaseReport ReportProtocolOperation(const ProtocolOperation& operation) {
  v1::CaseReport report;
  v1::CaseOperation& to = *report.mutable_recorded()->add_operation();
  to.set_id(operation.id);
  to.set_at_us(operation.at_us);
  to.set_client(static_cast<uint32_t>(operation.client));
  to.set_via(operation.node);
  to.set_name(operation.asked.kind);
  if (!operation.asked.key.empty()) to.set_key(operation.asked.key);
  if (!operation.asked.value.empty()) to.set_value(operation.asked.value);
  if (!operation.asked.expected.empty()) to.set_expected(operation.asked.expected);
  return report;
}

}  // namespace norn::sim
