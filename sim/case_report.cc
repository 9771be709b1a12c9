#include "sim/case_report.h"

#include <string>

#include "sim/case.h"

namespace norn::sim {

namespace {

v1::CaseMessage MessageOf(const MessageHarm& harm) {
  v1::CaseMessage message;
  message.set_name(harm.label.name);
  message.set_from(harm.from);
  message.set_to(harm.to);
  if (!harm.label.key.empty()) message.set_key(harm.label.key);
  message.set_nth(harm.nth);
  if (harm.lost) message.set_lost(true);
  if (harm.doubled) message.set_doubled(true);
  if (harm.later_us != 0) message.set_later_us(harm.later_us);
  if (harm.overtaken) message.set_overtaken(true);
  return message;
}

}  // namespace

v1::CaseReport ReportSetup(uint64_t seed, int64_t until_us, const std::string& config,
                           const std::vector<Fault>& plan) {
  v1::CaseReport report;
  report.set_config(config);
  v1::Case& written = *report.mutable_recorded();
  written.set_format(kCaseFormat);
  written.set_seed(seed);
  written.set_until_us(until_us);
  for (const Fault& fault : plan) {
    v1::CaseFault& added = *written.add_fault();
    added.set_id(fault.id);
    added.set_kind(static_cast<v1::ScenarioFault::Kind>(fault.kind));
    for (const NodeId node : fault.nodes) added.add_nodes(node);
    added.set_start_us(fault.start_us);
    added.set_end_us(fault.end_us);
    if (fault.amount != 0) added.set_amount(fault.amount);
    if (fault.shift_us != 0) added.set_shift_us(fault.shift_us);
    if (fault.down_us != 0) added.set_down_us(fault.down_us);
    if (fault.loss != 0) added.set_loss(static_cast<v1::ScenarioFault::Loss>(fault.loss));
    if (fault.again) added.set_again(true);
    if (fault.tables_only) added.set_tables_only(true);
    if (fault.effects_min != 0) added.set_effects_min(fault.effects_min);
  }
  return report;
}

v1::CaseReport ReportHarm(const MessageHarm& harm) {
  v1::CaseReport report;
  v1::CaseHarm& to = *report.add_harm();
  to.set_fault(harm.fault);
  *to.mutable_message() = MessageOf(harm);
  return report;
}

v1::CaseReport ReportEvent(const RunEvent& event) {
  v1::CaseReport report;
  v1::CaseEvent& to = *report.add_event();
  to.set_kind(static_cast<uint32_t>(event.kind));
  to.set_time_us(event.time_us);
  if (event.id != 0) to.set_id(event.id);
  if (event.node != kNoNode) to.set_node(event.node);
  if (event.other != kNoNode) to.set_other(event.other);
  if (event.client != 0) to.set_client(static_cast<uint32_t>(event.client));
  if (event.number != 0) to.set_number(event.number);
  if (!event.name.empty()) to.set_name(event.name);
  if (!event.key.empty()) to.set_key(event.key);
  if (!event.text.empty()) to.set_text(event.text);
  return report;
}

RunEvent MakeRunEvent(const v1::CaseEvent& written) {
  RunEvent event;
  event.kind = static_cast<RunEvent::Kind>(written.kind());
  event.time_us = written.time_us();
  event.id = written.id();
  event.node = written.has_node() ? static_cast<NodeId>(written.node()) : kNoNode;
  event.other = written.has_other() ? static_cast<NodeId>(written.other()) : kNoNode;
  event.client = static_cast<int>(written.client());
  event.number = written.number();
  event.name = written.name();
  event.key = written.key();
  event.text = written.text();
  return event;
}

v1::CaseReport ReportEnd(const RunResult& result, const std::vector<MessageHarm>& asked) {
  v1::CaseReport end;
  for (const MessageHarm& harm : asked) {
    *end.mutable_recorded()->add_message() = MessageOf(harm);
  }
  v1::CaseOutcome& outcome = *end.mutable_recorded()->mutable_outcome();
  outcome.set_verdict(VerdictName(result.verdict));
  outcome.set_property(result.property);
  outcome.set_hash(result.trace_hash);
  end.set_witness(result.witness);
  end.set_exit_code(static_cast<uint32_t>(ExitCodeOfVerdict(result.verdict)));
  return end;
}

}  // namespace norn::sim
