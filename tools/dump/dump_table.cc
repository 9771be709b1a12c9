// norn-dump sst FILE

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/table_format.h"
#include "tools/dump/bytes_text.h"
#include "tools/dump/console.h"
#include "tools/dump/dump.h"
#include "tools/dump/entry_text.h"
#include "tools/dump/fact.h"
#include "tools/dump/table_inspector.h"

namespace norn::dump {
namespace {

Fact BlockFact(absl::string_view type, const StoredBlock& block) {
  Fact fact(type);
  fact.Number("offset", block.handle.offset)
      .Number("bytes", block.handle.size)
      .Text("state", StateName(block.state));
  if (block.compression.has_value() && block.payload_bytes > 0) {
    fact.Text("compression", CompressionName(*block.compression))
        .Number("payload_bytes", block.payload_bytes);
  }
  return fact;
}

void PrintTail(const Options& options, const TableTail& tail, Console* console) {
  Fact table("sst");
  table.Text("file", options.path).Number("bytes", tail.file_bytes);
  console->Print(table);
  Fact footer("footer");
  footer.Number("offset", tail.file_bytes - storage::kFooterBytes)
      .Text("state", tail.footer_good ? "good" : "bad checksum");
  if (tail.footer_good) footer.Number("format", tail.footer.format);
  footer.Number("number", tail.footer.number).Id("file_id", tail.footer.file_id);
  console->Print(footer);
  Fact properties = BlockFact("properties", tail.properties);
  if (tail.properties.state == StoredBlock::State::kGood) {
    properties.Number("entries", tail.meta.entries)
        .Number("key_bytes", tail.key_bytes)
        .Number("value_bytes", tail.value_bytes)
        .Number("smallest_sequence", tail.meta.smallest_sequence)
        .Number("largest_sequence", tail.meta.largest_sequence);
    AddKey("smallest_", tail.meta.smallest, options.keys_hex, &properties);
    AddKey("largest_", tail.meta.largest, options.keys_hex, &properties);
  }
  console->Print(properties);
  Fact filter = BlockFact("filter", tail.filter);
  if (tail.filter.state == StoredBlock::State::kGood) {
    filter.Number("probes", static_cast<uint64_t>(tail.filter_probes))
        .Number("lines", tail.filter.payload_bytes / 64);
  }
  console->Print(filter);
  Fact index = BlockFact("index", tail.index);
  if (tail.index.state == StoredBlock::State::kGood) index.Number("entries", tail.index.entries);
  console->Print(index);
  for (const StoredBlock& stored : tail.partitions) {
    Fact partition = BlockFact("index_partition", stored);
    if (stored.state == StoredBlock::State::kGood) partition.Number("entries", stored.entries);
    console->Print(partition);
  }
}

}  // namespace

void DumpTable(storage::FileSystem* file_system, const Options& options, Console* console) {
  uint64_t printed = 0;
  TableHooks hooks;
  hooks.tail = [&](const TableTail& tail) { PrintTail(options, tail, console); };
  hooks.block = [&](uint64_t number, const StoredBlock& block) {
    const bool good = block.state == StoredBlock::State::kGood;
    if (printed >= options.limit && good) return;
    Fact fact = BlockFact("block", block);
    fact.Number("number", number);
    if (good) fact.Number("entries", block.entries);
    console->Print(fact);
  };
  hooks.entry = [&](absl::string_view key, uint64_t sequence,
                    std::optional<absl::string_view> value) {
    if (printed >= options.limit || !IsWithin(options, key)) return;
    ++printed;
    console->Print(EntryFact(sequence, key, value, options), 1);
  };
  hooks.report = console->Sink();
  const TableReport report = InspectTable(file_system, options.path, std::nullopt, hooks);
  if (!report.opened) return;
  Fact summary("summary");
  summary
      .Text("verdict", console->damages() > 0       ? "damaged"
                       : console->unreadables() > 0 ? "unreadable"
                                                    : "clean")
      .Number("blocks", report.blocks)
      .Number("bad_blocks", report.bad_blocks)
      .Number("entries", report.entries)
      .Number("entries_not_shown", report.entries - printed);
  console->Print(summary);
}

}  // namespace norn::dump
