// What may be drawn: of which size and kind the cases are that a property is tried on.
//
// Each field is a range, or a list to choose from. A range of one value fixes it. Shrinking never
// leaves the shape: where it says "at least 2 nodes", a counterexample has 2 or more.

#ifndef NORN_SIM_PROPERTIES_CASE_SHAPE_H_
#define NORN_SIM_PROPERTIES_CASE_SHAPE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/case.pb.h"
#include "sim/fault_plan.h"

namespace norn::sim {

// Both ends included.
struct Range {
  constexpr Range(int64_t only) : least(only), most(only) {}  // NOLINT: 3 is meant where 3 is said
  constexpr Range(int64_t from, int64_t to) : least(from), most(to) {}

  constexpr bool Has(int64_t value) const { return least <= value && value <= most; }

  int64_t least;
  int64_t most;
};

enum class Quorums : uint8_t {
  kAny,
  kOverlap,  // R + W > N
  kMayMiss,  // R + W <= N
};
enum class StandIns : uint8_t { kNone, kAlways, kEither };  // strict, sloppy

// Of N, R and W, what the ranges, the number of nodes and `quorums` leave is drawn: R and W above N
// are not.
struct TopologyShape {
  Range nodes{3, 5};  // 1 to 9
  Range zones{1, 3};
  Range n{1, 5};
  Range r{1, 5};
  Range w{1, 5};
  Quorums quorums = Quorums::kAny;
  StandIns sloppy = StandIns::kNone;
  uint32_t partitions = 8;  // a power of two
};

// Gets, puts and deletes of a few clients on a few keys. Of each client one comes after the other;
// with the answers it makes a session.
struct WorkloadShape {
  Range clients{1, 3};
  Range keys{1, 2};
  Range operations{2, 30};
  Range pause_us{1'000, 200'000};  // between two operations of a client
  // Weights: one of five is 1 in {2, 2, 1}.
  uint32_t gets = 5;
  uint32_t puts = 4;
  uint32_t deletes = 1;
  // Of puts and deletes, in 1000: those that replace what the client has read, and those that
  // replace nothing; the rest replaces whatever is there.
  uint32_t with_context_per_mille = 400;
  uint32_t beside_per_mille = 100;
  // Of requests: those with an R or W of their own, from the bucket's to N.
  uint32_t own_quorum_per_mille = 0;
  // Of keys: those of the bucket where the last writer wins ("l..."); others keep siblings.
  uint32_t last_writer_per_mille = 0;
  // Of puts: those that expire. None do while a fault is wrong about the time.
  uint32_t expiring_per_mille = 0;
  Range pad_bytes{0, 0};  // of a value
};

struct FaultShape {
  // Those to choose from; none: all that there are. Where the cluster is too small for a kind,
  // that kind is not drawn.
  std::vector<FaultKind> kinds;
  Range count{0, 3};
  Range lasting_us{50'000, 1'500'000};
};

struct CaseShape {
  TopologyShape topology;
  WorkloadShape workload;
  FaultShape faults;
  // Settings by name (sim/knobs.h), besides or instead of the usual ones of such cases, which are
  // chosen so that a run is short: frequent gossip and exchanges, requests of at most a second.
  std::vector<std::pair<std::string, int64_t>> settings;
};

// Empty: cases of this shape can be drawn. Else what is impossible, and what would be possible.
std::string FindContradiction(const CaseShape& shape);

// Whether the ranges and `quorums` have these.
bool FitsQuorums(const TopologyShape& shape, int64_t n, int64_t r, int64_t w);

// Whether the case is of this shape: what is counted, quorums, kinds of faults; not times.
bool Fits(const CaseShape& shape, const v1::Case& written);

// Whether a case of so many nodes can have such a fault, and it can do harm.
bool Applicable(FaultKind kind, int nodes);

// ---- Conditions, for rc::gen::suchThat ----

// R + W > N, and no stand-ins.
bool Overlapping(const v1::Case& written);
int CountOperations(const v1::Case& written, v1::ScenarioOperation::Kind kind);
int CountFaults(const v1::Case& written, FaultKind kind);

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_CASE_SHAPE_H_
