// The directories of a simulated disk: which name refers to which file, now and after a
// crash.
//
// Invariants:
//   * live entries are what a process sees; durable entries, with any subset of the
//     pending changes applied in their order, are what a crash can leave behind;
//   * a rename is one change: it is applied whole or not at all, and never leaves the file
//     under its old name as well; a file has several names only where it was given several
//     (Create of a file that is there already: a hard link);
//   * SyncDirectory makes exactly the changes of that directory durable, and of other
//     directories only what a rename between the two builds upon;
//   * a directory is an entry of its parent, and lost with it: whoever creates one has
//     to sync the parent. "/" and "." have always been there.

#ifndef NORN_SIM_DISK_TREE_H_
#define NORN_SIM_DISK_TREE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "sim/disk_fault.h"
#include "sim/disk_file.h"

namespace norn::sim {

// A path in its normal form. Paths that differ in "//", "/./" or a final "/" are the
// same; ".." is not supported.
struct Place {
  std::string dir;
  std::string name;

  std::string Path() const;
};
Place SplitPath(const std::string& path);
// The normal form of a directory's path: "/a/b", "a/b", "/" or ".".
std::string NormalDirectory(const std::string& path);

class DiskTree {
 public:
  using Entries = std::map<std::string, std::shared_ptr<DiskFile>>;

  DiskTree();

  bool HasDirectory(const std::string& dir) const;
  // Null if there is no such file.
  std::shared_ptr<DiskFile> Find(const Place& place) const;
  // True if the name would refer to the same file after losing every pending change.
  bool EntryDurable(const Place& place) const;
  // The files of a directory that exists, by name.
  const Entries& Files(const std::string& dir) const;
  // Every file once, however many names it has, in the order of its first name.
  std::vector<DiskFile*> DistinctFiles() const;
  // Whether a process can still find the file by some name. O(files).
  bool HasName(const DiskFile& file) const;
  // Every directory, ascending.
  std::vector<std::string> Directories() const;

  // The changes. Their preconditions (the directory exists, the name is there or free)
  // are the caller's to check.
  void Create(const Place& place, std::shared_ptr<DiskFile> file);
  void Remove(const Place& place);
  void Rename(const Place& from, const Place& to);
  void CreateDirectory(const Place& place);
  void SyncDirectory(const std::string& dir);

  // Power fails (or only the process dies): the durable entries and the survivors among
  // the pending changes become the live entries.
  void Crash(CrashLoss loss, Random* random, FaultCounters* counters);

  // A copy that shares no file with this tree.
  DiskTree Clone() const;

 private:
  struct Directory {
    Entries live;
    Entries durable;
    bool entry_durable = false;  // its own entry in its parent
  };
  struct Change {
    enum class Kind { kCreate, kRemove, kRename, kCreateDirectory };
    Kind kind = Kind::kCreate;
    Place place;  // of a rename: the target
    Place from;   // of a rename
    std::shared_ptr<DiskFile> file;
    // Of a rename: the names that pending renames took from the file before, oldest first. If
    // those are lost and this one is not, the file is still under one of them.
    std::vector<Place> earlier;
  };

  void MakeDurable(const Change& change);
  // Takes away the durable name that the renamed file had.
  void EraseDurableName(const Change& rename);

  std::map<std::string, Directory> directories_;
  std::vector<Change> pending_;  // oldest first
};

}  // namespace norn::sim

#endif  // NORN_SIM_DISK_TREE_H_
