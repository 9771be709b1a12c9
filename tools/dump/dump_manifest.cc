// norn-dump manifest FILE

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/manifest.h"
#include "storage/quarantine.h"
#include "storage/table_meta.h"
#include "tools/dump/bytes_text.h"
#include "tools/dump/console.h"
#include "tools/dump/dump.h"
#include "tools/dump/entry_text.h"
#include "tools/dump/fact.h"
#include "tools/dump/manifest_inspector.h"
#include "tools/dump/read_file.h"

namespace norn::dump {
namespace {

using storage::TableMeta;
using storage::VersionEdit;
using storage::WalRef;

Fact TableFact(absl::string_view type, absl::string_view verb, int level, const TableMeta& meta,
               bool keys_hex) {
  Fact fact(type);
  fact.Number("level", static_cast<uint64_t>(level))
      .Number("number", meta.number)
      .Id("file_id", meta.file_id)
      .Number("bytes", meta.bytes)
      .Number("entries", meta.entries)
      .Number("smallest_sequence", meta.smallest_sequence)
      .Number("largest_sequence", meta.largest_sequence);
  AddKey("smallest_", meta.smallest, keys_hex, &fact);
  AddKey("largest_", meta.largest, keys_hex, &fact);
  fact.Say(absl::StrCat(verb, "table ", meta.number, " on level ", level, ": ", meta.entries,
                        " entries, ", meta.bytes, " bytes, writes ", meta.smallest_sequence, " to ",
                        meta.largest_sequence, ", from ", KeyText(meta.smallest, keys_hex), " to ",
                        KeyText(meta.largest, keys_hex), ", id ", HexId(meta.file_id)));
  return fact;
}

Fact WalFact(absl::string_view type, absl::string_view verb, const WalRef& wal) {
  Fact fact(type);
  fact.Number("number", wal.number)
      .Id("file_id", wal.file_id)
      .Number("first_sequence", wal.first_sequence);
  fact.Say(absl::StrCat(verb, "log ", wal.number, ": from write ", wal.first_sequence, ", id ",
                        HexId(wal.file_id)));
  return fact;
}

Fact NumberFact(absl::string_view type, absl::string_view name, uint64_t value,
                std::string sentence) {
  Fact fact(type);
  fact.Number(name, value).Say(std::move(sentence));
  return fact;
}

Fact QuarantineFact(absl::string_view type, absl::string_view verb,
                    const storage::Quarantine& quarantine, bool keys_hex) {
  Fact fact(type);
  fact.Number("table", quarantine.table).Number("sequence", quarantine.sequence);
  AddKey("from_", quarantine.from, keys_hex, &fact);
  AddKey("until_", quarantine.until, keys_hex, &fact);
  fact.Say(absl::StrCat(verb, "quarantine from ", KeyText(quarantine.from, keys_hex), " to below ",
                        KeyText(quarantine.until, keys_hex), ", of writes up to ",
                        quarantine.sequence, ": ", quarantine.reason));
  return fact;
}

Fact DropFact(absl::string_view type, absl::string_view verb, const storage::RangeDrop& drop,
              bool keys_hex) {
  Fact fact(type);
  fact.Number("sequence", drop.sequence).Flag("bounded", !drop.to.empty());
  AddKey("from_", drop.from, keys_hex, &fact);
  AddKey("to_", drop.to, keys_hex, &fact);
  fact.Say(absl::StrCat(verb, "writes up to ", drop.sequence, " of keys from ",
                        KeyText(drop.from, keys_hex),
                        drop.to.empty() ? std::string(" on")
                                        : absl::StrCat(" to below ", KeyText(drop.to, keys_hex))));
  return fact;
}

Fact EditFact(const EditFacts& facts, bool keys_hex) {
  const VersionEdit& edit = facts.edit;
  Fact fact("edit");
  fact.Number("offset", facts.offset).Number("bytes", facts.bytes).Number("synced", facts.synced);
  const auto change = [&fact](Fact part) { fact.Part("changes", std::move(part)); };
  if (edit.flushed_sequence.has_value()) {
    change(NumberFact("flushed", "sequence", *edit.flushed_sequence,
                      absl::StrCat("writes up to ", *edit.flushed_sequence, " are in tables")));
  }
  if (edit.next_file_number.has_value()) {
    change(NumberFact("next_file_number", "number", *edit.next_file_number,
                      absl::StrCat("the next file gets number ", *edit.next_file_number)));
  }
  for (const uint64_t wal : edit.dropped_wals) {
    change(NumberFact("drop_wal", "number", wal, absl::StrCat("drops log ", wal)));
  }
  for (const WalRef& wal : edit.added_wals) change(WalFact("add_wal", "adds ", wal));
  for (const VersionEdit::DroppedTable& table : edit.dropped_tables) {
    Fact part("drop_table");
    part.Number("level", static_cast<uint64_t>(table.level)).Number("number", table.number);
    part.Say(absl::StrCat("drops table ", table.number, " from level ", table.level));
    change(std::move(part));
  }
  for (const VersionEdit::AddedTable& table : edit.added_tables) {
    change(TableFact("add_table", "adds ", table.level, table.meta, keys_hex));
  }
  if (edit.suspect.has_value()) {
    Fact part("suspect");
    part.Flag("value", *edit.suspect);
    part.Say(*edit.suspect ? "data that had been acknowledged may be gone" : "nothing is suspect");
    change(std::move(part));
  }
  if (edit.lost_from.has_value()) {
    change(NumberFact("lost_from", "sequence", *edit.lost_from,
                      *edit.lost_from == 0
                          ? "nothing may be lost"
                          : absl::StrCat("writes from ", *edit.lost_from, " on may be lost")));
  }
  for (const VersionEdit::GivenUpBlock& block : edit.given_up) {
    Fact part("give_up_block");
    part.Number("table", block.table).Number("offset", block.offset);
    part.Say(absl::StrCat("gives up the block of table ", block.table, " at ", block.offset));
    change(std::move(part));
  }
  for (const VersionEdit::LiftedQuarantine& lift : edit.lifted) {
    Fact part("lift_quarantine");
    part.Number("sequence", lift.sequence);
    AddKey("from_", lift.from, keys_hex, &part);
    AddKey("until_", lift.until, keys_hex, &part);
    part.Say(absl::StrCat("lifts quarantines from ", KeyText(lift.from, keys_hex), " to below ",
                          lift.until.empty() ? "the end" : KeyText(lift.until, keys_hex),
                          ", of writes up to ", lift.sequence));
    change(std::move(part));
  }
  for (const storage::Quarantine& quarantine : edit.quarantined) {
    change(QuarantineFact("add_quarantine", "adds a ", quarantine, keys_hex));
  }
  for (const storage::RangeDrop& drop : edit.settled_drops) {
    change(DropFact("settle_drop", "nothing is left of dropped ", drop, keys_hex));
  }
  for (const storage::RangeDrop& drop : edit.added_drops) {
    change(DropFact("drop_range", "drops ", drop, keys_hex));
  }
  if (edit.checkpoint.has_value()) {
    change(NumberFact("checkpoint", "sequence", *edit.checkpoint,
                      absl::StrCat("a checkpoint of the writes up to ", *edit.checkpoint)));
  }
  return fact;
}

// Parts in text; in JSON objects of their own, since a version can be large.
void PrintVersion(const ManifestReport& report, bool keys_hex, Console* console) {
  const storage::VersionState& version = report.version;
  Fact fact("version");
  fact.Flag("usable", report.usable)
      .Number("flushed_sequence", version.flushed_sequence)
      .Number("next_file_number", version.next_file_number)
      .Flag("suspect", version.suspect)
      .Number("lost_from", version.lost_from);
  console->Print(fact);
  for (const WalRef& wal : version.wals) console->Print(WalFact("version_wal", "", wal), 1);
  for (const storage::Quarantine& quarantine : version.quarantine.all()) {
    console->Print(QuarantineFact("version_quarantine", "", quarantine, keys_hex), 1);
  }
  for (const storage::RangeDrop& drop : version.drops) {
    console->Print(DropFact("version_drop", "dropped: ", drop, keys_hex), 1);
  }
  for (size_t level = 0; level < version.levels.size(); ++level) {
    const std::vector<TableMeta>& tables = version.levels[level];
    if (tables.empty()) continue;
    uint64_t bytes = 0;
    uint64_t entries = 0;
    for (const TableMeta& table : tables) {
      bytes += table.bytes;
      entries += table.entries;
    }
    Fact sums("version_level");
    sums.Number("level", level)
        .Number("tables", tables.size())
        .Number("entries", entries)
        .Number("bytes", bytes);
    console->Print(sums, 1);
    for (const TableMeta& table : tables) {
      console->Print(TableFact("version_table", "", static_cast<int>(level), table, keys_hex), 2);
    }
  }
}

}  // namespace

void DumpManifest(storage::FileSystem* file_system, const Options& options, Console* console) {
  LogExpectation expectation;
  const std::optional<std::string> file =
      ReadLogFile(file_system, options.path, console->Sink(), &expectation.may_be_growing);
  if (!file.has_value()) return;
  uint64_t printed = 0;
  ManifestHooks hooks;
  hooks.head = [&](const LogReport& log) {
    console->Print(LogHeadFact("manifest", options.path, log));
  };
  hooks.edit = [&](const EditFacts& edit) {
    if (printed >= options.limit) return;
    ++printed;
    console->Print(EditFact(edit, options.keys_hex));
  };
  hooks.report = console->Sink();
  const ManifestReport report = InspectManifest(options.path, *file, expectation, hooks);
  PrintVersion(report, options.keys_hex, console);
  Fact summary("summary");
  summary.Text("verdict", VerdictName(report.log.contents.verdict))
      .Number("good_bytes", report.log.contents.good_bytes)
      .Number("bad_bytes", report.log.bad_bytes)
      .Number("edits", report.edits)
      .Number("edits_not_shown", report.edits - printed);
  console->Print(summary);
}

}  // namespace norn::dump
