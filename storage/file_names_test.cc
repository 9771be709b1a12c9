#include "storage/file_names.h"

#include <string>

#include "gtest/gtest.h"

namespace norn::storage {
namespace {

TEST(FileNamesTest, WhatIsMadeIsParsed) {
  EXPECT_EQ(WalPath("/d", 12), "/d/000012.wal");
  EXPECT_EQ(TablePath("/d", 12345678), "/d/12345678.sst");
  const struct {
    std::string path;
    FileKind kind;
    uint64_t number;
  } cases[] = {
      {WalPath("d", 7), FileKind::kWal, 7},
      {TablePath("d", 1234567890123), FileKind::kTable, 1234567890123},
      {ManifestPath("d", 1), FileKind::kManifest, 1},
      {TemporaryPath("d", 3), FileKind::kTemporary, 3},
      {CurrentPath("d"), FileKind::kCurrent, 0},
      {SlotPath("d", "lease"), FileKind::kSlot, 0},
  };
  for (const auto& c : cases) {
    const FileName name = ParseFileName(c.path.substr(2));
    EXPECT_EQ(name.kind, c.kind) << c.path;
    EXPECT_EQ(name.number, c.number) << c.path;
  }
  EXPECT_EQ(ParseFileName("lease.slot").slot_name, "lease");
}

TEST(FileNamesTest, Parents) {
  const struct {
    const char* dir;
    const char* parent;
  } cases[] = {{"/a/b", "/a"}, {"/a/b//", "/a"}, {"/a", "/"}, {"/", "/"},
               {"b", "."},     {"a/b", "a"},     {"", "/"}};
  for (const auto& c : cases) EXPECT_EQ(ParentDirectory(c.dir), c.parent) << c.dir;
}

TEST(FileNamesTest, OtherNamesAreLeftAlone) {
  for (const char* name : {"", "LOCK", "notes.txt", "x.wal", ".sst", "12", "1.2.sst", "-1.wal",
                           ".slot", "a b.slot", "99999999999999999999999.wal"}) {
    EXPECT_EQ(ParseFileName(name).kind, FileKind::kOther) << name;
  }
}

}  // namespace
}  // namespace norn::storage
