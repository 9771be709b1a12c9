// Smaller cases of the same shape, one after the other: what a counterexample may shrink to.
//
// As in delta debugging, large parts go first: time, then faults, clients, keys, operations, nodes;
// then what remains is made simpler: operations, faults, quorums, the pauses between things. Every
// case is valid (MakeCase takes it), of the shape, and smaller than the one that it was made from,
// by an order in which nothing can shrink for ever.
//
// A search goes on where it had success: the cases that a smaller case shrinks to begin with those
// that were not tried yet, and come round to those that were.

#ifndef NORN_SIM_PROPERTIES_SMALLER_CASES_H_
#define NORN_SIM_PROPERTIES_SMALLER_CASES_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/case.pb.h"
#include "sim/properties/case_shape.h"

namespace norn::sim {

// Compared field by field.
struct CaseSize {
  size_t parts = 0;     // nodes, faults, operations, replicas
  size_t extras = 0;    // what makes one of them more than plain
  int64_t time_us = 0;  // all that lasts, or comes late, and amounts

  friend auto operator<=>(const CaseSize&, const CaseSize&) = default;
};
CaseSize SizeOf(const v1::Case& written);

// What may not change.
struct Kept {
  bool topology = false;
  bool workload = false;
  bool faults = false;
};

class SmallerCases {
 public:
  // Where in the order of things that are tried.
  struct Place {
    size_t pass = 0;
    size_t length = 0;  // of what is left out; 0: the pass has not begun
    size_t end = 0;     // behind the last of it; or: how many are behind
  };
  struct Candidate {
    v1::Case written;
    Place next;  // where the search goes on if this one fails too
  };

  SmallerCases(std::shared_ptr<const v1::Case> from, std::shared_ptr<const CaseShape> shape,
               const Kept& kept, const Place& start);

  // Nothing: there are no more. O(size of the case) for each that is tried.
  std::optional<Candidate> Next();

 private:
  std::optional<Candidate> NextOfPass();
  bool Takes(const v1::Case& candidate) const;

  std::shared_ptr<const v1::Case> from_;
  std::shared_ptr<const CaseShape> shape_;
  Kept kept_;
  CaseSize size_;
  Place place_;
  size_t passes_left_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_SMALLER_CASES_H_
