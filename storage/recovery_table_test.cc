// What opening makes of every kind of damage, as a table: damage by sync mode by number of logs.
//
// The store: a table of base keys; then writes a, b, c in a log of their own. With two logs there
// is d as well, after which e and f went to a second log; the first one's memtable has not been
// flushed. Every write was acknowledged and nothing was flushed by the crash, which was the
// process's: in the lazy modes the last log was never synced.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/manifest.h"
#include "storage/record_log.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::SimDisk;
using sim::SimFileSystem;

enum class Damage {
  kNone,
  kTornHead,   // the last record's head is cut
  kTornBody,   // its body is
  kFlipLast,   // a bit of its body
  kFlipFirst,  // a bit of the first group; others follow
  kZeroLast,   // the last record is zeros
  kLogMissing,
  kLogEmpty,
  kLogForeign,      // another store's log of that name
  kManifestTail,    // the manifest's last edit is cut
  kManifestMiddle,  // a bit of the snapshot, behind which there are edits
  kTableMissing,
  kTableForeign,
  kSlot,
};

enum class Which { kNewest, kOlder };

// An outcome: the verdict, and then what is not as it was written.
//   "clean" | "lost from X" (writes from X on may be lost) | "suspect" | "refuses"
//   "-x"        write x is gone          "base error" | "base gone"     "slot gone"
struct Row {
  Damage damage;
  int logs;
  Which which;
  const char* always;
  const char* lazy;  // SyncMode::kInterval and kNone
};

const Row kRows[] = {
    // Lazy logs can always lack what was written last, since nothing was synced.
    {Damage::kNone, 1, Which::kNewest, "clean", "lost from d"},
    {Damage::kNone, 2, Which::kNewest, "clean", "lost from g"},

    // The end of the newest log: nothing vouches for it, so it is cut and reported.
    {Damage::kTornHead, 1, Which::kNewest, "lost from c -c", "lost from c -c"},
    {Damage::kTornHead, 2, Which::kNewest, "lost from f -f", "lost from f -f"},
    {Damage::kTornBody, 1, Which::kNewest, "lost from c -c", "lost from c -c"},
    {Damage::kTornBody, 2, Which::kNewest, "lost from f -f", "lost from f -f"},
    {Damage::kFlipLast, 1, Which::kNewest, "lost from c -c", "lost from c -c"},
    {Damage::kFlipLast, 2, Which::kNewest, "lost from f -f", "lost from f -f"},
    // A log that was laid out in advance ends in zeros. That a disk has lost, at the very end and
    // without a trace, what it had synced cannot be told from a write that was never made.
    {Damage::kZeroLast, 1, Which::kNewest, "clean -c", "lost from c -c"},
    {Damage::kZeroLast, 2, Which::kNewest, "clean -f", "lost from f -f"},

    // Below what was synced, as the records behind it say. In a lazy log they say nothing, and it
    // is a tail like any other.
    {Damage::kFlipFirst, 1, Which::kNewest, "suspect -a", "lost from a -a -b -c"},
    {Damage::kFlipFirst, 2, Which::kNewest, "suspect -e", "lost from e -e -f"},

    // The older log: the opening of the next one vouches for all of it, in every mode. In the lazy
    // ones the newest log is reported on top.
    {Damage::kTornHead, 2, Which::kOlder, "suspect -d", "suspect lost from g -d"},
    {Damage::kTornBody, 2, Which::kOlder, "suspect -d", "suspect lost from g -d"},
    {Damage::kFlipLast, 2, Which::kOlder, "suspect -d", "suspect lost from g -d"},
    {Damage::kFlipFirst, 2, Which::kOlder, "suspect -a", "suspect lost from g -a"},
    {Damage::kZeroLast, 2, Which::kOlder, "suspect -d", "suspect lost from g -d"},

    // A log that the manifest names.
    {Damage::kLogMissing, 1, Which::kNewest, "suspect -a -b -c", "suspect -a -b -c"},
    {Damage::kLogMissing, 2, Which::kNewest, "suspect -e -f", "suspect -e -f"},
    {Damage::kLogMissing, 2, Which::kOlder, "suspect -a -b -c -d",
     "suspect lost from g -a -b -c -d"},
    {Damage::kLogEmpty, 1, Which::kNewest, "suspect -a -b -c", "suspect -a -b -c"},
    {Damage::kLogEmpty, 2, Which::kNewest, "suspect -e -f", "suspect -e -f"},
    {Damage::kLogEmpty, 2, Which::kOlder, "suspect -a -b -c -d", "suspect lost from g -a -b -c -d"},
    {Damage::kLogForeign, 1, Which::kNewest, "suspect -a -b -c", "suspect -a -b -c"},
    {Damage::kLogForeign, 2, Which::kNewest, "suspect -e -f", "suspect -e -f"},
    {Damage::kLogForeign, 2, Which::kOlder, "suspect -a -b -c -d",
     "suspect lost from g -a -b -c -d"},

    // The last edit. With one log it named the table of the base keys and dropped the log they had
    // come from, which is gone. With two it named the newest log, which shows that itself.
    {Damage::kManifestTail, 1, Which::kNewest, "suspect base gone",
     "suspect lost from d base gone"},
    {Damage::kManifestTail, 2, Which::kNewest, "suspect", "suspect lost from g"},
    // Which tables count cannot be told: recovery.h.
    {Damage::kManifestMiddle, 1, Which::kNewest, "refuses", "refuses"},
    {Damage::kManifestMiddle, 2, Which::kNewest, "refuses", "refuses"},

    {Damage::kTableMissing, 1, Which::kNewest, "suspect base error",
     "suspect lost from d base error"},
    {Damage::kTableMissing, 2, Which::kNewest, "suspect base error",
     "suspect lost from g base error"},
    // Not suspect: what is unreadable is known, and answers with an error until it is repaired.
    {Damage::kTableForeign, 1, Which::kNewest, "clean base error", "lost from d base error"},
    {Damage::kTableForeign, 2, Which::kNewest, "clean base error", "lost from g base error"},
    {Damage::kSlot, 1, Which::kNewest, "suspect slot gone", "suspect lost from d slot gone"},
    {Damage::kSlot, 2, Which::kNewest, "suspect slot gone", "suspect lost from g slot gone"},
};

class RecoveryTableTest : public EngineTest {
 protected:
  static constexpr uint64_t kBase = 10;

  RecoveryTableTest() {
    options_.memtable_bytes = 4000;
    options_.wal_preallocate_bytes = 8000;
  }

  void Put(const std::string& key, size_t bytes) {
    MustPut(key, absl::StrCat(key, std::string(bytes, '.')));
    while (RunJob(engine_.get(), Lane::kLog)) {
    }
  }

  // The store, on disk_, after the crash.
  void Make(SyncMode mode, int logs) {
    options_.sync_mode = mode;
    ASSERT_TRUE(Open().ok());
    engine_->WriteSlot("lease", "17", 1);
    for (uint64_t i = 0; i < kBase; ++i) Put(Key(static_cast<int>(i)), 350);
    Put("a", 50);  // retires the memtable of the base keys
    RunJobs(engine_.get());
    ASSERT_EQ(engine_->stats().tables, 1u);
    Put("b", 50);
    Put("c", 50);
    if (logs == 2) {
      Put("d", 5000);  // fills the memtable
      Put("e", 50);
      Put("f", 50);
    }
    ASSERT_EQ(engine_->durable_sequence(), kBase + (logs == 2 ? 6 : 3));
    Crash(CrashLoss::kProcessOnly);
    ASSERT_EQ(FilesEndingIn(".wal").size(), static_cast<size_t>(logs));
  }

  void Remove(const std::string& path) {
    SimFileSystem direct(&disk_);
    ASSERT_TRUE(direct.Remove(path).ok());
    ASSERT_TRUE(direct.SyncDir("/data").ok());
  }

  void Rewrite(const std::string& path, absl::string_view bytes) {
    Remove(path);
    SimFileSystem direct(&disk_);
    const auto file = direct.CreateNew(path, 0);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE(direct.SyncDir("/data").ok());
  }

  void Inflict(const Row& row) {
    std::vector<std::string> logs = FilesEndingIn(".wal");
    const std::string log = row.which == Which::kNewest ? logs.back() : logs.front();
    std::string bytes = *disk_.Contents(log);
    const LogContents contents = ReadLog(LogKind::kWal, bytes, std::nullopt, 0);
    const size_t first = static_cast<size_t>(contents.records[1].offset);  // behind the opening
    const size_t last = static_cast<size_t>(contents.records.back().offset);
    const size_t end = last + kRecordHeadBytes + contents.records.back().body.size();
    const std::string manifest = FilesEndingIn(".manifest").front();
    const std::string table = FilesEndingIn(".sst").front();
    switch (row.damage) {
      case Damage::kNone:
        return;
      case Damage::kTornHead:
        return Rewrite(log, bytes.substr(0, last + 7));
      case Damage::kTornBody:
        return Rewrite(log, bytes.substr(0, last + kRecordHeadBytes + 9));
      case Damage::kFlipLast:
        bytes[last + kRecordHeadBytes + 9] ^= 4;
        return Rewrite(log, bytes);
      case Damage::kFlipFirst:
        bytes[first + kRecordHeadBytes + 9] ^= 4;
        return Rewrite(log, bytes);
      case Damage::kZeroLast:
        std::fill(bytes.begin() + static_cast<ptrdiff_t>(last),
                  bytes.begin() + static_cast<ptrdiff_t>(end), '\0');
        return Rewrite(log, bytes);
      case Damage::kLogMissing:
        return Remove(log);
      case Damage::kLogEmpty:
        return Rewrite(log, "");
      case Damage::kLogForeign:
        return Rewrite(log, OfAnotherStore(log));
      case Damage::kManifestTail: {
        const std::string edits = *disk_.Contents(manifest);
        return Rewrite(manifest, edits.substr(0, edits.size() - 3));
      }
      case Damage::kManifestMiddle:
        ASSERT_TRUE(disk_.FlipBit(manifest, kLogHeaderBytes + kRecordHeadBytes + 2, 2).ok());
        return;
      case Damage::kTableMissing:
        return Remove(table);
      case Damage::kTableForeign:
        return Rewrite(table, OfAnotherStore(table));
      case Damage::kSlot:
        ASSERT_TRUE(disk_.FlipBit("/data/lease.slot", 15, 2).ok());
        return;
    }
  }

  // The file of that name, of a store with the same history and other ids.
  std::string OfAnotherStore(const std::string& path);

  // In the words of the table.
  std::string Outcome(int logs) {
    const absl::Status opened = Open();
    if (!opened.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(opened)) << opened;
      EXPECT_TRUE(absl::StrContains(opened.message(), "/data/")) << opened;
      EXPECT_TRUE(absl::StrContains(opened.message(), "replicas")) << opened;
      return "refuses";
    }
    std::string outcome = report_.suspect ? "suspect" : "";
    if (report_.suspect || report_.possibly_lost_from.has_value()) {
      EXPECT_FALSE(report_.notes.empty());
    }
    if (report_.possibly_lost_from.has_value()) {
      const char from = static_cast<char>('a' + *report_.possibly_lost_from - kBase - 1);
      absl::StrAppend(&outcome, outcome.empty() ? "" : " ", "lost from ", std::string(1, from));
    }
    if (outcome.empty()) outcome = "clean";
    for (char key = 'a'; key < (logs == 2 ? 'g' : 'd'); ++key) {
      const auto found = GetNow(engine_.get(), std::string(1, key));
      EXPECT_TRUE(found.ok()) << found.status();
      if (!found.ok() || !found->has_value()) {
        absl::StrAppend(&outcome, " -", std::string(1, key));
      } else {
        EXPECT_EQ((**found)[0], key);
      }
    }
    int errors = 0;
    int absent = 0;
    for (uint64_t i = 0; i < kBase; ++i) {
      const auto found = GetNow(engine_.get(), Key(static_cast<int>(i)));
      if (!found.ok()) {
        EXPECT_TRUE(absl::StrContains(found.status().message(), ".sst")) << found.status();
        ++errors;
      } else if (!found->has_value()) {
        ++absent;
      }
    }
    if (errors == kBase) outcome += " base error";
    if (absent == kBase) outcome += " base gone";
    EXPECT_TRUE(errors + absent == 0 || errors == kBase || absent == kBase);
    if (engine_->ReadSlot("lease") != "17") outcome += " slot gone";
    return outcome;
  }
};

// Another store's life, for files that are good and belong elsewhere.
class AnotherStore : public RecoveryTableTest {
 public:
  explicit AnotherStore(const EngineOptions& like) {
    options_ = like;
    options_.seed += 1000;
  }
  std::string FileNamed(const std::string& path) {
    Make(options_.sync_mode, 2);
    const absl::StatusOr<std::string> bytes = disk_.Contents(path);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return *bytes;
  }

 private:
  void TestBody() override {}
};

std::string RecoveryTableTest::OfAnotherStore(const std::string& path) {
  return AnotherStore(options_).FileNamed(path);
}

TEST_F(RecoveryTableTest, EveryRow) {
  for (const Row& row : kRows) {
    for (const SyncMode mode : {SyncMode::kAlways, SyncMode::kInterval, SyncMode::kNone}) {
      SCOPED_TRACE(absl::StrCat("damage ", static_cast<int>(row.damage), ", ", row.logs, " logs, ",
                                row.which == Which::kOlder ? "the older" : "the newest",
                                ", sync mode ", static_cast<int>(mode)));
      engine_.reset();
      disk_.Wipe();
      disk_.Restart();
      Make(mode, row.logs);
      ASSERT_FALSE(HasFatalFailure());
      Inflict(row);
      ASSERT_FALSE(HasFatalFailure());
      const std::string expected = mode == SyncMode::kAlways ? row.always : row.lazy;
      const std::string first = Outcome(row.logs);
      EXPECT_EQ(first, expected);
      // A power failure at once, and the same verdict again.
      Crash(CrashLoss::kAllUnsynced);
      const std::string second = Outcome(row.logs);
      if (mode == SyncMode::kAlways || absl::StrContains(first, "lost from")) {
        EXPECT_EQ(second, first);
      } else {
        // The log of the first opening was a lazy one in its turn.
        EXPECT_TRUE(absl::StrContains(second, "lost from") || first == "refuses") << second;
      }
      if (engine_ == nullptr) continue;
      // The owner has drawn its conclusions: what is unreadable stays so, the rest is settled.
      if (row.damage == Damage::kSlot) engine_->WriteSlot("lease", "18", 2);
      engine_->AcknowledgeRecovery();
      RunJobs(engine_.get());
      Crash(CrashLoss::kAllUnsynced);
      ASSERT_TRUE(Open().ok());
      EXPECT_FALSE(report_.suspect);
      if (mode == SyncMode::kAlways) {
        EXPECT_EQ(report_.possibly_lost_from, std::nullopt);
      }
    }
  }
}

// Every place of the two files that say what counts: either nothing was needed of it, or opening
// is refused, and names the file and the remedy. Never is something else made of the store.
TEST_F(RecoveryTableTest, ADamagedManifestOrCurrentIsRefusedWithTheRemedy) {
  Make(SyncMode::kAlways, 2);
  const std::string manifest = FilesEndingIn(".manifest").front();
  const LogContents contents =
      ReadLog(LogKind::kManifest, *disk_.Contents(manifest), std::nullopt, 0);
  ASSERT_GE(contents.records.size(), 3u);
  const uint64_t last = contents.records.back().offset;
  for (const std::string& path : {manifest, std::string("/data/CURRENT")}) {
    const uint64_t end = path == manifest ? last : disk_.Contents(path)->size();
    for (uint64_t offset = 0; offset < end; ++offset) {
      const std::unique_ptr<SimDisk> fork = disk_.Fork();
      ASSERT_TRUE(fork->FlipBit(path, offset, static_cast<int>(offset % 8)).ok());
      SimFileSystem files(fork.get());
      RecoveryReport report;
      const absl::Status status = Engine::Open(files, options_, &report).status();
      ASSERT_FALSE(status.ok()) << path << " at " << offset;
      EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "replicas")) << status;
    }
  }
  // A device that cannot read them now is another matter: nothing is to be given up for it.
  for (const std::string& path : {manifest, std::string("/data/CURRENT")}) {
    ASSERT_TRUE(disk_.AddReadError(path, 0, 10).ok());
    const absl::Status status = Open();
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "again")) << status;
    ASSERT_TRUE(disk_.ClearReadErrors(path).ok());
  }
  EXPECT_EQ(Outcome(2), "clean");
}

}  // namespace
}  // namespace norn::storage
