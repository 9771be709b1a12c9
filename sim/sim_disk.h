// A simulated disk: the medium that survives its processes, and all that can befall it.
//
// A SimDisk outlives the nodes that use it. A process sees it through a SimFileSystem
// (sim/sim_file_system.h), which dies with the process:
//
//   SimDisk disk(seed);
//   auto process = std::make_unique<SimFileSystem>(&disk, "n1");
//   ...                                      // the engine runs on *process
//   disk.CrashAtOperation(17, CrashLoss::kRandomSubset);
//   ...                                      // some step fails with kAborted: crashed()
//   process.reset();                         // and everything that used it
//   disk.Restart();
//   process = std::make_unique<SimFileSystem>(&disk, "n1");
//
// Invariants:
//   * what was synced (file) and then syncdir-ed (entries up to the root) survives every
//     crash; what was not may or may not, as storage/file_system.h says; only the
//     damage that is asked for by name (FlipBit, Overwrite, Wipe, a misdirected write, a
//     lying sync, a lost write) breaks that rule;
//   * from a crash on, every operation of every process that was running fails with
//     kAborted "crashed" for ever; after Restart() a new SimFileSystem works;
//   * deterministic: all chance comes from the seed; nothing depends on addresses,
//     clocks or hash order. An operation that meets no fault draws no random number.
//
// Single-threaded. Virtual time is not its business.

#ifndef NORN_SIM_SIM_DISK_H_
#define NORN_SIM_SIM_DISK_H_

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "sim/disk_fault.h"
#include "sim/disk_file.h"
#include "sim/disk_tree.h"

namespace norn::sim {

class SimDisk {
 public:
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  explicit SimDisk(uint64_t seed) : random_(seed) {}
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // --- Crashes ---

  // Everything stops now, and what `loss` takes is gone. Allowed on a crashed disk too
  // (then nothing is left to lose).
  void Crash(CrashLoss loss);
  // Crash(loss) inside the n-th operation from now (n >= 1). That operation does not
  // happen, or half: an append in part, any other change as one more unsynced change.
  // Replaces what was planned before.
  void CrashAtOperation(uint64_t n, CrashLoss loss);
  // Power fails in the midst of the n-th append from now (n >= 1) that spans a boundary between two
  // sectors: some of its first sectors are on the medium then, with all that was written before,
  // and the rest is not. Replaces what was planned before.
  void CrashAtTornAppend(uint64_t n);
  void CancelCrash() { crash_at_ = tear_in_ = 0; }
  // Lets new processes use the disk.
  void Restart() { crashed_ = false; }
  bool crashed() const { return crashed_; }
  // What the last crash fell upon, as "append /data/000003.wal"; "" if none was timed.
  const std::string& crash_site() const { return crash_site_; }
  // Called inside the operation that meets the planned crash, after the loss. It must
  // not use the disk.
  void set_on_crash(std::function<void()> on_crash) { on_crash_ = std::move(on_crash); }

  // --- Faults ---

  // Returns its number, from 1.
  uint64_t Inject(DiskFault fault);
  // How many operations the fault of this number has met.
  uint64_t Taken(uint64_t number) const;
  void Cancel(uint64_t number);
  void ClearFaults() { faults_.clear(); }
  // Faults that can still take effect: planned and not used up.
  size_t planned_faults() const { return faults_.size(); }

  // Appends beyond it fail with kResourceExhausted (after what fits), and so do creates
  // on a full disk. A file takes the larger of its size and of what was preallocated.
  // Removing a file gives its room back at once.
  void set_capacity_bytes(uint64_t bytes) { capacity_bytes_ = bytes; }
  uint64_t used_bytes() const { return used_bytes_; }

  // Damage to the medium, durable and seen by the next read. kNotFound if there is no
  // such file, kOutOfRange if there is no such byte: then nothing was damaged.
  absl::Status FlipBit(const std::string& path, uint64_t offset, int bit);
  absl::Status Overwrite(const std::string& path, uint64_t offset, absl::string_view bytes);
  // Reads of bytes [begin, end) of the file fail with kDataLoss, whatever its name, until
  // ClearReadErrors.
  absl::Status AddReadError(const std::string& path, uint64_t begin, uint64_t end);
  absl::Status ClearReadErrors(const std::string& path);
  // Crashes, and the medium comes back empty.
  void Wipe();
  // Crashes, and the medium comes back as `copy`, a Fork() of this disk, has it.
  void Restore(const SimDisk& copy);

  const FaultCounters& counters() const { return counters_; }

  // --- Inspection; none of it is an operation ---

  struct FileState {
    std::string path;
    uint64_t size = 0;
    uint64_t durable_size = 0;   // what a crash cannot take
    bool entry_durable = false;  // the name would survive a crash, if its directory does
  };
  // Every file, sorted by directory and name.
  std::vector<FileState> Files() const;
  // What a process would read. kNotFound if there is no such file.
  absl::StatusOr<std::string> Contents(const std::string& path) const;

  uint64_t operations() const { return operations_; }
  uint64_t operations(FileOperation kind) const {
    return operations_by_kind_[static_cast<size_t>(kind)];
  }

  // Whether the file system knows hard links. On at first.
  bool hard_links() const { return hard_links_; }
  void set_hard_links(bool on) { hard_links_ = on; }

  // A deep copy of the medium, for trying every crash from one state: files, pending
  // changes, damage, capacity, randomness. Plans (crash, faults, callback), locks and
  // counters are not copied, and processes of this disk do not run on the copy.
  std::unique_ptr<SimDisk> Fork() const;
  // Whether some reads need no device (RandomAccessFile::TryRead). On at first.
  bool page_cache() const { return page_cache_; }
  void set_page_cache(bool on) { page_cache_ = on; }
  // Starts the random stream afresh, so that forks differ in what they lose.
  void Reseed(uint64_t seed) { random_ = Random(seed); }

 private:
  // The processes' side of the disk.
  friend class SimFileSystem;
  friend class SimWritableFile;
  friend class SimRandomAccessFile;
  friend class SimDirectoryLock;

  struct PlannedFault {
    uint64_t number = 0;
    DiskFault fault;
    uint64_t matches = 0;  // operations that matched so far
  };
  // What becomes of one operation.
  struct Admission {
    absl::Status status;                // not OK: the operation is refused with it
    bool power_fails = false;           // do it or leave it, then return FailPower()
    std::optional<FaultEffect> effect;  // else: it goes wrong in this way (append, sync)
  };

  // Counts the operation and decides its fate.
  Admission Admit(uint64_t incarnation, FileOperation operation, const std::string& path);
  // Admit for operations that change nothing, and so cannot be done in half.
  absl::Status AdmitQuery(uint64_t incarnation, FileOperation operation, const std::string& path);
  std::optional<FaultEffect> TakeFault(FileOperation operation, const std::string& path);
  absl::Status FailPower();

  // The work behind the operations, once admitted.
  absl::Status Append(DiskFile* file, absl::string_view data, const Admission& admission,
                      const std::string& path);
  absl::Status Sync(DiskFile* file, const Admission& admission, const std::string& path);
  // What a misdirected read of `file` returns instead of its own n bytes at `offset`; empty: there
  // are no others that it could be.
  std::string ReadElsewhere(const DiskFile& file, const std::string& path, uint64_t offset,
                            size_t n);
  absl::Status CheckRead(const DiskFile& file, uint64_t offset, uint64_t n,
                         const std::string& path);
  std::shared_ptr<DiskFile> Create(const Place& place, uint64_t preallocate_bytes);
  void Remove(const Place& place);
  void Rename(const Place& from, const Place& to);

  // Makes room for the file to grow by `bytes`; returns how much of that there is.
  uint64_t TakeRoom(DiskFile* file, uint64_t bytes);
  // No name refers to the file any more: returns its room and recycles its content.
  void Release(DiskFile* file);
  // Gives back what was preallocated and not used.
  void TrimRoom(DiskFile* file);
  // A write meant for elsewhere hits durable sectors of some file. False if there are none.
  bool Misdirect(absl::string_view bytes);
  // Charges the files that are there, and nothing else.
  void RecountRoom();

  Random random_;
  bool page_cache_ = true;
  bool hard_links_ = true;
  DiskTree tree_;
  uint64_t next_file_id_ = 1;
  uint64_t incarnation_ = 1;  // rises with every crash; what has an older one is dead
  bool crashed_ = false;
  uint64_t crash_at_ = 0;  // the operation number that meets the crash; 0: none
  uint64_t tear_in_ = 0;   // appends until the one that is torn; 0: none
  CrashLoss crash_loss_ = CrashLoss::kRandomSubset;
  std::string crash_site_;
  std::function<void()> on_crash_;
  std::vector<PlannedFault> faults_;
  std::vector<uint64_t> taken_;  // operations by the number of the fault, less 1
  std::set<uint64_t> misread_;   // files that a misdirected read has met
  uint64_t capacity_bytes_ = kUnlimited;
  uint64_t used_bytes_ = 0;
  std::string scrap_;  // content of deleted files: it can show up in lost sectors
  std::map<std::string, std::string> locks_;  // directory to holder
  uint64_t operations_ = 0;
  std::array<uint64_t, kFileOperationCount> operations_by_kind_{};
  FaultCounters counters_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SIM_DISK_H_
