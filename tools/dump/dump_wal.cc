// norn-dump wal FILE

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/record_log.h"
#include "storage/wal.h"
#include "tools/dump/console.h"
#include "tools/dump/dump.h"
#include "tools/dump/entry_text.h"
#include "tools/dump/fact.h"
#include "tools/dump/read_file.h"
#include "tools/dump/wal_inspector.h"

namespace norn::dump {
namespace {

void PrintOpening(uint64_t offset, const storage::WalOpening& opening, Console* console) {
  Fact fact("opening");
  fact.Number("offset", offset)
      .Number("first_sequence", opening.first_sequence)
      .Number("previous_number", opening.previous_number)
      .Number("previous_bytes", opening.previous_bytes);
  fact.Say(absl::StrCat("opening at offset ", offset, ": starts with write ",
                        opening.first_sequence,
                        opening.previous_number == 0
                            ? ", no log before it"
                            : absl::StrCat(", follows log ", opening.previous_number, ", of which ",
                                           opening.previous_bytes, " bytes were durable")));
  console->Print(fact);
}

void PrintGroup(const WalGroupFacts& group, Console* console) {
  Fact fact("group");
  fact.Number("offset", group.offset)
      .Number("bytes", group.bytes)
      .Number("synced", group.synced)
      .Flag("malformed", group.malformed);
  if (group.malformed) {
    fact.Say(absl::StrCat("record at offset ", group.offset, ": malformed"));
    console->Print(fact);
    return;
  }
  const uint64_t last = group.first_sequence + group.entries - 1;
  fact.Number("first_sequence", group.first_sequence)
      .Number("last_sequence", last)
      .Number("entries", group.entries);
  fact.Say(absl::StrCat("group at offset ", group.offset, ": ", group.bytes, " bytes, writes ",
                        group.first_sequence, " to ", last, ", when ", group.synced,
                        " bytes of the file were durable"));
  console->Print(fact);
}

void PrintSummary(const WalReport& wal, uint64_t printed, Console* console) {
  const storage::LogContents& contents = wal.log.contents;
  Fact fact("summary");
  fact.Text("verdict", VerdictName(contents.verdict))
      .Number("good_bytes", contents.good_bytes)
      .Number("bad_bytes", wal.log.bad_bytes)
      .Number("zero_bytes", wal.log.zero_bytes)
      .Number("groups", wal.groups)
      .Number("entries", wal.entries)
      .Number("entries_not_shown", wal.entries - printed);
  if (wal.first_sequence.has_value()) {
    fact.Number("first_sequence", *wal.first_sequence)
        .Number("last_sequence", wal.next_sequence - 1);
  }
  console->Print(fact);
}

}  // namespace

void DumpWal(storage::FileSystem* file_system, const Options& options, Console* console) {
  LogExpectation expectation;
  const std::optional<std::string> file =
      ReadLogFile(file_system, options.path, console->Sink(), &expectation.may_be_growing);
  if (!file.has_value()) return;
  uint64_t printed = 0;
  WalHooks hooks;
  hooks.head = [&](const LogReport& log) { console->Print(LogHeadFact("wal", options.path, log)); };
  hooks.opening = [&](uint64_t offset, const storage::WalOpening& opening) {
    PrintOpening(offset, opening, console);
  };
  hooks.group = [&](const WalGroupFacts& group) {
    if (printed < options.limit || group.malformed) PrintGroup(group, console);
  };
  hooks.entry = [&](uint64_t sequence, absl::string_view key,
                    std::optional<absl::string_view> value) {
    if (printed >= options.limit) return;
    ++printed;
    console->Print(EntryFact(sequence, key, value, options), 1);
  };
  hooks.report = console->Sink();
  const WalReport wal = InspectWal(options.path, *file, expectation, std::nullopt, hooks);
  PrintSummary(wal, printed, console);
}

}  // namespace norn::dump
