#include "sim/case_report.h"

#include <string>

#include "core/check.h"
#include "sim/case.h"
#include "sim/claims.h"
#include "sim/knobs.h"

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

v1::CaseReport ReportSetup(uint64_t seed, int64_t until_us, const UniverseConfig& config,
                           const std::vector<Fault>& plan) {
  v1::CaseReport report;
  report.set_config(ToString(config));
  v1::Case& written = *report.mutable_recorded();
  written.set_format(kCaseFormat);
  written.set_seed(seed);
  written.set_until_us(until_us);
  const BucketConfig& bucket = config.bucket();
  v1::CaseBucket& to = *written.mutable_bucket();
  to.set_partitions(config.cluster.partitions);
  to.set_n(static_cast<uint32_t>(bucket.n));
  to.set_r(static_cast<uint32_t>(bucket.r));
  to.set_w(static_cast<uint32_t>(bucket.w));
  if (bucket.r_min != 0) to.set_r_min(static_cast<uint32_t>(bucket.r_min));
  if (bucket.w_min != 0) to.set_w_min(static_cast<uint32_t>(bucket.w_min));
  if (bucket.sloppy) to.set_sloppy(true);
  if (bucket.prune_entries_above != 0) to.set_prune_entries_above(bucket.prune_entries_above);
  for (const MemberConfig& member : config.cluster.members) {
    v1::CaseNode& node = *written.add_node();
    node.set_zone(member.zone);
    if (!member.data_center.empty()) node.set_data_center(member.data_center);
  }
  for (const LinkDelay& link : config.links) {
    v1::CaseLink& added = *written.add_link();
    added.set_from(link.from);
    added.set_to(link.to);
    added.set_delay_min_us(link.min_us);
    added.set_delay_max_us(link.max_us);
  }
  if (config.healing_us != 0) written.set_healing_us(config.healing_us);
  for (const Claim claim : config.claims) written.add_claim(ClaimName(claim));
  for (const Knob& knob : KnobsOf(config)) {
    v1::CaseKnob& added = *written.add_knob();
    added.set_name(knob.name);
    added.set_value(knob.value);
    if (knob.only_node != kNoNode) added.set_only_node(knob.only_node);
  }
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

v1::CaseReport ReportOperation(const ScriptedOperation& operation) {
  v1::CaseReport report;
  v1::CaseOperation& to = *report.mutable_recorded()->add_operation();
  to.set_id(operation.id);
  to.set_at_us(operation.at_us);
  to.set_client(static_cast<uint32_t>(operation.client));
  to.set_via(operation.node);
  to.set_kind(static_cast<v1::ScenarioOperation::Kind>(operation.kind));
  to.set_key(operation.key);
  if (!operation.value.empty()) {
    const size_t name = operation.value.find(' ');
    CORE_CHECK(name != std::string::npos);
    to.set_value(operation.value.substr(0, name));
    if (operation.value.size() > name + 1) to.set_pad_bytes(operation.value.size() - name - 1);
  }
  if (operation.base != ClientRequest::Base::kCurrent) {
    to.set_base(static_cast<v1::CaseOperation::Base>(operation.base));
  }
  if (operation.quorum != 0) to.set_quorum(static_cast<uint32_t>(operation.quorum));
  if (operation.level != Level::kNumber) to.set_level(LevelName(operation.level));
  if (operation.ttl_us != 0) to.set_ttl_us(operation.ttl_us);
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
