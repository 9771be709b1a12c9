// The kinds of faults, and what is said of each: its name, its class, what it does, what counts as
// an effect of it. `norn-sim faults` prints the table.
//
// Classes are what a run leaves out as a whole (swarm testing: A. Groce et al., Swarm Testing,
// 2012): a run with every fault at once hides the bugs that need a quiet hour, and one without
// crashes keeps the state in which only a partition hurts.

#ifndef NORN_SIM_FAULT_KINDS_H_
#define NORN_SIM_FAULT_KINDS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace norn::sim {

// In the order of v1::ScenarioFault::Kind, which has the same numbers.
enum class FaultKind : uint8_t {
  kCrash,        // at the n-th file operation in the window, or at its end; restarts later
  kHalves,       // `nodes` and the others cannot talk
  kIsolate,      // one node cannot talk to anyone
  kOneWay,       // what `nodes` send to the others is lost
  kSlow,         // messages take up to `amount` microseconds longer
  kLoss,         // `amount` of 1000 messages are lost
  kDuplicate,    // `amount` of 1000 messages arrive twice
  kReorder,      // messages overtake each other, by up to `amount` microseconds
  kSlowDisk,     // each file operation of a job takes up to `amount` microseconds longer
  kPowerCut,     // `nodes` lose power at the same instant: when the n-th write in the window is
                 // acknowledged, or at its end; they restart one after the other
  kReadError,    // the next `amount` reads of one node's disk fail, tables' or any
  kBadBlock,     // `amount` places in one node's tables cannot be read
  kPause,        // `nodes` stand still: what reaches them waits, their timers and jobs too
  kClockJump,    // the wall clocks of `nodes` are off by `shift_us`
  kClockDrift,   // the wall clocks of `nodes` gain `shift_us` in every second (or lose it)
  kStalledDisk,  // no file operation of a job begins on `nodes`
  kFullDisk,     // one node's disk has room for `amount` bytes more, and that is all
  kWipedDisk,    // one node dies, and comes back with an empty disk
  kOlderDisk,    // one node dies, and comes back with its disk as it was at the start
  kBitRot,       // `amount` bits of one node's tables flip, for good
  kBridge,       // two halves that only the first of `nodes` connects: the rest of `nodes` is one
  kRing,         // `nodes`, in this order, are a ring in which each sees `amount` on either side
  kFlapping,     // as kHalves, in the first half of each period of `amount` microseconds
  kReset,        // once in each period of `amount` microseconds every link from or to `nodes` is
                 // reset: what travels on it is lost, both ways, and order begins anew
  kSlowLinks,    // messages between `nodes` and the others take up to `amount` microseconds longer
  kZoneOutage,   // `nodes`, which are of one zone, die at the same instant and come back together
  kTornWrite,    // one node dies in the n-th append that spans sectors: the first are written
  kWriteError,   // `amount` appends, creates, renames or syncs of a directory fail on one disk
  kFailedSync,   // `amount` syncs fail on one disk, and what they should have saved may be lost
                 // though later ones succeed
  kMisdirectedRead,   // `amount` reads of one node's tables return bytes of another place
  kMisdirectedWrite,  // `amount` times a block of one node's tables is written over another place
  kLogRot,            // one node dies, and `amount` bits of its logs and slots flip meanwhile
};
inline constexpr int kFaultKindCount = 32;

enum class FaultClass : uint8_t { kNetwork, kCrash, kDisk, kClock, kProcess };
inline constexpr int kFaultClassCount = 5;

struct FaultKindInfo {
  const char* name;  // one word: "one-way"
  FaultClass of;
  const char* words;   // in reports: "one-way partition"
  const char* what;    // one line
  const char* effect;  // what is counted: "messages lost"
};
const FaultKindInfo& InfoOf(FaultKind kind);
const char* FaultClassName(FaultClass of);
inline const char* FaultKindName(FaultKind kind) { return InfoOf(kind).words; }

// What TakesDown() takes nodes down, Destroys() among it costs them what they held, or some of it;
// OfDisk() makes a disk ill, Rots() among it for good; OfNetwork() harms messages; OneNodeOnly()
// befalls exactly one; NeedsNodes() must be told whom.
bool TakesDown(FaultKind kind);
bool Destroys(FaultKind kind);
bool OfDisk(FaultKind kind);
bool Rots(FaultKind kind);
bool OfNetwork(FaultKind kind);
bool OneNodeOnly(FaultKind kind);
bool NeedsNodes(FaultKind kind);

// The least number of nodes among which a fault of this kind can harm anything.
int LeastNodes(FaultKind kind);
// The least that Fault::amount must be for anything to happen, or to be worth while: shorter
// periods would ask more of the simulator than of the cluster. 0: it may be left out.
uint64_t LeastAmount(FaultKind kind);
// Whether a scenario that says nothing means an amount of 1.
bool AmountIsOne(FaultKind kind);

// Kinds, as a value.
class FaultSet {
 public:
  static FaultSet All() { return FaultSet((uint64_t{1} << kFaultKindCount) - 1); }
  FaultSet() = default;

  bool Has(FaultKind kind) const { return (bits_ >> static_cast<int>(kind) & 1) != 0; }
  void Add(FaultKind kind) { bits_ |= uint64_t{1} << static_cast<int>(kind); }
  bool empty() const { return bits_ == 0; }
  FaultSet Without(FaultSet other) const { return FaultSet(bits_ & ~other.bits_); }
  FaultSet Intersect(FaultSet other) const { return FaultSet(bits_ & other.bits_); }
  bool operator==(FaultSet other) const { return bits_ == other.bits_; }

 private:
  explicit FaultSet(uint64_t bits) : bits_(bits) {}

  uint64_t bits_ = 0;
};
static_assert(kFaultKindCount < 64);

// "crash,halves": the kinds' names, as ParseFaultSet reads them.
std::string ToString(FaultSet set);

// Names of kinds and of classes, divided by commas. False: `*wrong` is what is wrong, with the
// names that there are.
bool ParseFaultSet(absl::string_view list, FaultSet* set, std::string* wrong);

// What a run may suffer, and whether it has to.
struct FaultChoice {
  FaultSet allowed = FaultSet::All();
  // They were asked for by name: then a run leaves no class of them out, and is drawn anew until
  // it has some.
  bool asked = false;
};

}  // namespace norn::sim

#endif  // NORN_SIM_FAULT_KINDS_H_
