// What a checker says of one key.

#ifndef NORN_SIM_CONSISTENCY_FINDING_H_
#define NORN_SIM_CONSISTENCY_FINDING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace norn::consistency {

enum class Verdict : uint8_t {
  kValid,
  kViolated,
  kUnknown,  // not decided: a limit was reached, or the checker cannot judge such a history
};

struct Finding {
  Verdict verdict = Verdict::kValid;
  std::string why;              // empty if kValid
  std::vector<size_t> witness;  // indices into KeyHistory::operations, in order of their calls
};

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_FINDING_H_
