#include "sim/case_history.h"

#include <utility>

namespace norn::sim {

namespace {

using Entries = google::protobuf::RepeatedPtrField<v1::HistoryEntry>;

void Write(const Dot& dot, v1::HistoryEntry* to) {
  to->set_incarnation(dot.incarnation);
  to->set_counter(dot.counter);
}

void Write(const VersionVector& vector, Entries* to) {
  for (const VersionVector::Entry& entry : vector.entries()) {
    v1::HistoryEntry& added = *to->Add();
    added.set_incarnation(entry.incarnation);
    added.set_counter(entry.counter);
    if (entry.minted_us != 0) added.set_minted_us(entry.minted_us);
  }
}

void Write(const Operation& from, v1::HistoryOperation* to) {
  to->set_id(from.id);
  to->set_client(static_cast<uint32_t>(from.client));
  to->set_node(from.node);
  to->set_kind(static_cast<uint32_t>(from.kind));
  to->set_base(static_cast<uint32_t>(from.base));
  to->set_key(from.key);
  to->set_value(from.value);
  to->set_quorum(static_cast<uint32_t>(from.quorum));
  to->set_invoked_us(from.invoked_us);
  if (from.completed_us != kNever) to->set_completed_us(from.completed_us);
  to->set_outcome(static_cast<uint32_t>(from.outcome));
  for (const std::string& value : from.read) to->add_read(value);
  Write(from.context, to->mutable_context());
  Write(from.replaces, to->mutable_replaces());
}

void Write(const MintedVersion& from, v1::HistoryMint* to) {
  Write(from.dot, to->mutable_dot());
  to->set_node(from.node);
  to->set_key(from.key);
  to->set_value(from.value);
  to->set_tombstone(from.tombstone);
  to->set_minted_us(from.minted_us);
  to->set_succeeded(from.succeeded);
  to->set_refused(from.refused);
  to->set_base_known(from.base_known);
  Write(from.base, to->mutable_base());
  to->set_wall_us(from.wall_us);
  to->set_expires_us(from.expires_us);
}

Dot ReadDot(const v1::HistoryEntry& from) { return Dot{from.incarnation(), from.counter()}; }

bool Read(const Entries& from, VersionVector* vector) {
  for (const v1::HistoryEntry& entry : from) {
    if (!vector->AppendSorted(entry.incarnation(), entry.counter(), entry.minted_us()))
      return false;
  }
  return true;
}

bool Read(const v1::HistoryOperation& from, Operation* to) {
  to->id = from.id();
  to->client = static_cast<int>(from.client());
  to->node = static_cast<NodeId>(from.node());
  to->kind = static_cast<ClientRequest::Kind>(from.kind());
  to->base = static_cast<ClientRequest::Base>(from.base());
  to->key = from.key();
  to->value = from.value();
  to->quorum = static_cast<int>(from.quorum());
  to->invoked_us = from.invoked_us();
  if (from.has_completed_us()) to->completed_us = from.completed_us();
  if (from.has_outcome()) to->outcome = static_cast<ClientReply::Outcome>(from.outcome());
  to->read.assign(from.read().begin(), from.read().end());
  return Read(from.context(), &to->context) && Read(from.replaces(), &to->replaces);
}

bool Read(const v1::HistoryMint& from, MintedVersion* to) {
  to->dot = ReadDot(from.dot());
  to->node = static_cast<NodeId>(from.node());
  to->key = from.key();
  to->value = from.value();
  to->tombstone = from.tombstone();
  to->minted_us = from.minted_us();
  to->succeeded = from.succeeded();
  to->refused = from.refused();
  to->base_known = from.base_known();
  to->wall_us = from.wall_us();
  to->expires_us = from.expires_us();
  return Read(from.base(), &to->base);
}

bool Read(const v1::HistoryBurial& from, Burial* to) {
  to->key = from.key();
  to->at_us = from.at_us();
  for (const v1::HistoryEntry& dot : from.version()) to->versions.push_back(ReadDot(dot));
  return Read(from.context(), &to->context);
}

}  // namespace

v1::CaseHistory WriteHistory(const History& history, const FinalState& state) {
  v1::CaseHistory written;
  for (const Operation& operation : history.operations) Write(operation, written.add_operation());
  for (const MintedVersion& version : history.minted) Write(version, written.add_minted());
  for (const Burial& burial : history.burials) {
    v1::HistoryBurial& added = *written.add_burial();
    added.set_key(burial.key);
    added.set_at_us(burial.at_us);
    Write(burial.context, added.mutable_context());
    for (const Dot& dot : burial.versions) Write(dot, added.add_version());
  }
  for (const auto& [key, copies] : state) {
    for (const auto& [node, record] : copies) {
      v1::HistoryCopy& added = *written.add_copy();
      added.set_record_key(key);
      added.set_node(node);
      added.set_record(record);
    }
  }
  return written;
}

v1::CaseReport ReportHistory(const History& history, const FinalState& state) {
  v1::CaseReport report;
  *report.mutable_history() = WriteHistory(history, state);
  return report;
}

bool ReadHistory(const v1::CaseHistory& written, History* history, FinalState* state) {
  bool right = true;
  for (const v1::HistoryOperation& from : written.operation()) {
    right = Read(from, &history->operations.emplace_back()) && right;
  }
  for (const v1::HistoryMint& from : written.minted()) {
    right = Read(from, &history->minted.emplace_back()) && right;
  }
  for (const v1::HistoryBurial& from : written.burial()) {
    right = Read(from, &history->burials.emplace_back()) && right;
  }
  for (const v1::HistoryCopy& copy : written.copy()) {
    (*state)[copy.record_key()][static_cast<NodeId>(copy.node())] = copy.record();
  }
  return right;
}

}  // namespace norn::sim
