#include "sim/store_case_report.h"

#include <string>

#include "core/check.h"
#include "sim/case_report.h"
#include "sim/claims.h"
#include "sim/knobs.h"

namespace norn::sim {

v1::CaseReport ReportStoreSetup(uint64_t seed, int64_t until_us, const UniverseConfig& config,
                                const std::vector<Fault>& plan) {
  v1::CaseReport report = ReportSetup(seed, until_us, ToString(config), plan);
  v1::Case& written = *report.mutable_recorded();
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

}  // namespace norn::sim
