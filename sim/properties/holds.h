// Tries a property on many cases, and makes of a failure what a person wants to see: the smallest
// case, as a file to replay, and a page to look at.

#ifndef NORN_SIM_PROPERTIES_HOLDS_H_
#define NORN_SIM_PROPERTIES_HOLDS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "sim/case.pb.h"
#include "sim/properties/outcome.h"

namespace norn::sim {

// Fails by RC_ASSERT or RC_FAIL, leaves a run out by RC_PRE.
using Property = std::function<void(const Outcome& outcome)>;

struct HoldsOptions {
  // Absent: as RC_PARAMS says; else 100 cases from a seed that differs from run to run.
  std::optional<uint64_t> seed;
  std::optional<int> cases;
  // A run that the simulator's own checkers object to fails, too.
  bool own_claims = true;
  // After RapidCheck's shrinking, the delta debugger of `norn-sim shrink` tries for so long to
  // leave out more: settings as well, and the messages that a fault harmed one by one. The cluster
  // and its quorums stay. 0: it does not.
  int64_t shrink_ms = 10'000;
  // What else a case must be to count; give it here, and not to rc::gen::suchThat, where the delta
  // debugger would not know of it.
  std::function<bool(const v1::Case& written)> where;
  int64_t limit_ms = 30'000;  // of real time for one run
  // Where the case and the page are written, under the test's name. Empty:
  // $TEST_UNDECLARED_OUTPUTS_DIR; without that nothing is written.
  std::string folder;
};

struct Checked {
  bool holds = false;
  int cases = 0;     // that it held for
  std::string text;  // for people: what failed, on which case, what was written where
  // The counterexample; nothing if it holds, or if there was too little to try it on.
  std::optional<Outcome> smallest;
  std::string why;  // what the property said of it
};

// A run that crashed or did not end fails whatever the property says. One that is inconclusive can
// fail; if it does not, it is left out, as by RC_PRE, so that only what was tested counts. `what`
// is the guarantee in words.
Checked Check(const std::string& what, const rc::Gen<v1::Case>& cases, const Property& property,
              const HoldsOptions& options = {});

// The same, for EXPECT_TRUE.
testing::AssertionResult Holds(const std::string& what, const rc::Gen<v1::Case>& cases,
                               const Property& property, const HoldsOptions& options = {});

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_HOLDS_H_
