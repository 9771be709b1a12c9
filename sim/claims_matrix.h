// The claims matrix: what is promised under which configuration, which planted bugs prove that
// norn-sim would see the promise broken, and what is never promised, each with a scenario that
// shows why.

#ifndef NORN_SIM_CLAIMS_MATRIX_H_
#define NORN_SIM_CLAIMS_MATRIX_H_

#include <optional>
#include <string>
#include <vector>

#include "sim/claims.h"

namespace norn::sim {

// Something that is checked.
struct Promise {
  // Checked in every run whose configuration allows it. Nothing: scenarios that stage the situation
  // expect it, and no other run looks at it.
  std::optional<Claim> claim;
  std::string name;
  std::string text;                       // in one line
  std::vector<std::string> planted_bugs;  // tests/mutants/NAME.patch; tools/mutants hunts them
};

struct NeverClaimed {
  std::string text;
  // The scenario that shows the anomaly: it expects it, so that a valid run has shown it. A name as
  // FindScenario takes it; empty: of something that is not there yet.
  std::string witness;
};

struct ClaimsRow {
  std::string configuration;
  std::vector<std::string> promises;  // their names
  std::vector<NeverClaimed> never;
};

struct ClaimsMatrix {
  std::vector<Promise> promises;
  std::vector<ClaimsRow> rows;

  // Of one of `promises`; null: none has this name. O(promises).
  const Promise* Find(const std::string& name) const;
};

const ClaimsMatrix& NornsClaims();

}  // namespace norn::sim

#endif  // NORN_SIM_CLAIMS_MATRIX_H_
