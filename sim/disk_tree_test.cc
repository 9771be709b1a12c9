#include "sim/disk_tree.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/disk_file.h"

namespace norn::sim {
namespace {

TEST(SplitPathTest, EquivalentPathsAreOne) {
  const struct {
    const char* path;
    const char* dir;
    const char* name;
    const char* normal;
  } cases[] = {
      {"/a/b/c", "/a/b", "c", "/a/b/c"},
      {"//a/./b//c/", "/a/b", "c", "/a/b/c"},
      {"/a", "/", "a", "/a"},
      {"a", ".", "a", "a"},
      {"./a", ".", "a", "a"},
      {"a/b", "a", "b", "a/b"},
      {"/", "/", "", "/"},
      {".", ".", "", "."},
      {"///", "/", "", "/"},
      {"./", ".", "", "."},
  };
  for (const auto& c : cases) {
    const Place place = SplitPath(c.path);
    EXPECT_EQ(place.dir, c.dir) << c.path;
    EXPECT_EQ(place.name, c.name) << c.path;
    EXPECT_EQ(place.Path(), c.normal) << c.path;
    EXPECT_EQ(NormalDirectory(c.path), c.normal) << c.path;
  }
}

// Which files "/d" can hold after a crash, as "name=id name=id", over many seeds.
template <typename Prepare>
std::set<std::string> Outcomes(const Prepare& prepare, CrashLoss loss) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    DiskTree tree;
    tree.CreateDirectory({"/", "d"});
    tree.SyncDirectory("/");
    prepare(&tree);
    Random random(seed);
    FaultCounters counters;
    tree.Crash(loss, &random, &counters);
    std::string text;
    for (const auto& [name, file] : tree.Files("/d")) {
      text += (text.empty() ? "" : " ") + name + "=" + std::to_string(file->id());
      EXPECT_TRUE(tree.EntryDurable({"/d", name}));
    }
    outcomes.insert(text);
  }
  return outcomes;
}

std::shared_ptr<DiskFile> File(uint64_t id) { return std::make_shared<DiskFile>(id); }

TEST(DiskTreeTest, EachUnsyncedEntryIsLostOrKeptByItself) {
  const auto prepare = [](DiskTree* tree) {
    tree->Create({"/d", "a"}, File(1));
    tree->Create({"/d", "b"}, File(2));
  };
  using Set = std::set<std::string>;
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kRandomSubset), (Set{"", "a=1", "b=2", "a=1 b=2"}));
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kAllUnsynced), Set{""});
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kNothing), Set{"a=1 b=2"});
}

TEST(DiskTreeTest, SyncedEntriesStay) {
  const auto prepare = [](DiskTree* tree) {
    tree->Create({"/d", "a"}, File(1));
    tree->Create({"/d", "b"}, File(2));
    tree->Remove({"/d", "b"});
    tree->SyncDirectory("/d");
  };
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kRandomSubset), std::set<std::string>{"a=1"});
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kAllUnsynced), std::set<std::string>{"a=1"});
}

TEST(DiskTreeTest, AnUnsyncedRemoveMayComeBack) {
  const auto prepare = [](DiskTree* tree) {
    tree->Create({"/d", "a"}, File(1));
    tree->SyncDirectory("/d");
    tree->Remove({"/d", "a"});
  };
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kRandomSubset), (std::set<std::string>{"", "a=1"}));
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kAllUnsynced), std::set<std::string>{"a=1"});
}

TEST(DiskTreeTest, RenameIsOldOrNewNeverNeither) {
  const auto prepare = [](DiskTree* tree) {
    tree->Create({"/d", "current"}, File(1));
    tree->SyncDirectory("/d");
    tree->Create({"/d", "tmp"}, File(2));
    tree->Rename({"/d", "tmp"}, {"/d", "current"});
  };
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kRandomSubset),
            (std::set<std::string>{"current=1", "current=1 tmp=2", "current=2"}));
}

TEST(DiskTreeTest, ARenamedFileIsNeverUnderTwoNames) {
  const auto prepare = [](DiskTree* tree) {
    tree->Create({"/d", "a"}, File(1));
    tree->SyncDirectory("/d");
    tree->Rename({"/d", "a"}, {"/d", "b"});
    tree->Rename({"/d", "b"}, {"/d", "c"});
  };
  // "c" after losing the first rename is the case that could leave "a" behind.
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kRandomSubset),
            (std::set<std::string>{"a=1", "b=1", "c=1"}));
}

TEST(DiskTreeTest, ALinkIsAnEntryOfItsOwn) {
  const auto prepare = [](DiskTree* tree) {
    const auto file = File(1);
    tree->Create({"/d", "a"}, file);
    tree->SyncDirectory("/d");
    tree->Create({"/d", "b"}, file);
    EXPECT_EQ(tree->DistinctFiles().size(), 1u);
    tree->Remove({"/d", "a"});
    EXPECT_TRUE(tree->HasName(*file));
  };
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kRandomSubset),
            (std::set<std::string>{"", "a=1", "b=1", "a=1 b=1"}));
}

TEST(DiskTreeTest, ARenameTakesNoNameFromALink) {
  const auto prepare = [](DiskTree* tree) {
    const auto file = File(1);
    tree->Create({"/d", "a"}, file);
    tree->Create({"/d", "z"}, file);
    tree->SyncDirectory("/d");
    tree->Rename({"/d", "a"}, {"/d", "b"});
    tree->Rename({"/d", "b"}, {"/d", "c"});
  };
  EXPECT_EQ(Outcomes(prepare, CrashLoss::kRandomSubset),
            (std::set<std::string>{"a=1 z=1", "b=1 z=1", "c=1 z=1"}));
}

TEST(DiskTreeTest, ARenameBetweenDirectoriesBringsItsPast) {
  DiskTree tree;
  for (const char* name : {"from", "to", "other"}) tree.CreateDirectory({"/", name});
  tree.SyncDirectory("/");
  tree.Create({"/from", "a"}, File(1));
  tree.Create({"/other", "b"}, File(2));
  tree.Rename({"/from", "a"}, {"/to", "c"});
  tree.SyncDirectory("/to");
  EXPECT_TRUE(tree.EntryDurable({"/to", "c"}));
  EXPECT_FALSE(tree.EntryDurable({"/other", "b"})) << "another directory was not synced";
  Random random(1);
  FaultCounters counters;
  tree.Crash(CrashLoss::kNothing, &random, &counters);
  EXPECT_EQ(tree.Find({"/from", "a"}), nullptr);
  EXPECT_EQ(tree.Find({"/to", "c"})->id(), 1u);
}

TEST(DiskTreeTest, EitherDirectorySyncsARenameBetweenThem) {
  for (const char* dir : {"/from", "/to"}) {
    DiskTree tree;
    for (const char* name : {"from", "to"}) tree.CreateDirectory({"/", name});
    tree.SyncDirectory("/");
    tree.Create({"/from", "a"}, File(1));
    tree.SyncDirectory("/from");
    tree.Rename({"/from", "a"}, {"/to", "b"});
    tree.SyncDirectory(dir);
    Random random(1);
    FaultCounters counters;
    tree.Crash(CrashLoss::kAllUnsynced, &random, &counters);
    EXPECT_EQ(tree.Find({"/from", "a"}), nullptr) << dir;
    EXPECT_NE(tree.Find({"/to", "b"}), nullptr) << dir;
  }
}

TEST(DiskTreeTest, WhatACrashTookDoesNotComeBackLater) {
  DiskTree tree;
  tree.Create({"/", "a"}, File(1));
  Random random(1);
  FaultCounters counters;
  tree.Crash(CrashLoss::kAllUnsynced, &random, &counters);
  tree.SyncDirectory("/");
  tree.Crash(CrashLoss::kNothing, &random, &counters);
  EXPECT_EQ(tree.Find({"/", "a"}), nullptr);
}

TEST(DiskTreeTest, AnUnsyncedDirectoryTakesItsContentDown) {
  const auto crash = [](bool sync_parent, bool sync_inner) {
    DiskTree tree;
    tree.CreateDirectory({"/", "a"});
    tree.CreateDirectory({"/a", "b"});
    tree.Create({"/a/b", "file"}, File(1));
    tree.SyncDirectory("/a/b");
    if (sync_inner) tree.SyncDirectory("/a");
    if (sync_parent) tree.SyncDirectory("/");
    Random random(1);
    FaultCounters counters;
    tree.Crash(CrashLoss::kAllUnsynced, &random, &counters);
    EXPECT_EQ(tree.HasDirectory("/a"), sync_parent);
    EXPECT_EQ(tree.HasDirectory("/a/b"), sync_parent && sync_inner);
    return tree.Find({"/a/b", "file"}) != nullptr;
  };
  EXPECT_TRUE(crash(true, true));
  EXPECT_FALSE(crash(true, false));
  EXPECT_FALSE(crash(false, true));
}

TEST(DiskTreeTest, AProcessDyingLosesNoEntryAndMakesNoneDurable) {
  DiskTree tree;
  tree.Create({"/", "a"}, File(1));
  Random random(1);
  FaultCounters counters;
  tree.Crash(CrashLoss::kProcessOnly, &random, &counters);
  EXPECT_NE(tree.Find({"/", "a"}), nullptr);
  EXPECT_FALSE(tree.EntryDurable({"/", "a"}));
  tree.Crash(CrashLoss::kAllUnsynced, &random, &counters);
  EXPECT_EQ(tree.Find({"/", "a"}), nullptr);
  EXPECT_EQ(counters.crash_lost_entries, 1u);
}

TEST(DiskTreeTest, ACloneSharesNoFile) {
  DiskTree tree;
  tree.Create({"/", "a"}, File(1));
  tree.Find({"/", "a"})->Append("before");
  DiskTree clone = tree.Clone();
  tree.Find({"/", "a"})->Append("+after");
  tree.Remove({"/", "a"});
  ASSERT_NE(clone.Find({"/", "a"}), nullptr);
  EXPECT_EQ(clone.Find({"/", "a"})->content(), "before");
  // Nor through what is still pending.
  Random random(1);
  FaultCounters counters;
  clone.Crash(CrashLoss::kNothing, &random, &counters);
  ASSERT_NE(clone.Find({"/", "a"}), nullptr);
  EXPECT_EQ(clone.Find({"/", "a"})->content(), "before");
}

}  // namespace
}  // namespace norn::sim
