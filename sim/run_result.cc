#include "sim/run_result.h"

namespace norn::sim {

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid:
      return "VALID";
    case Verdict::kViolated:
      return "VIOLATED";
    case Verdict::kNoProgress:
      return "NO PROGRESS";
    case Verdict::kUnknown:
      return "UNKNOWN";
  }
  return "?";
}

int ExitCodeOfVerdict(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid:
      return kExitValid;
    case Verdict::kViolated:
      return kExitViolated;
    case Verdict::kNoProgress:
      return kExitNoProgress;
    case Verdict::kUnknown:
      return kExitUnknown;
  }
  return kExitCrashed;
}

}  // namespace norn::sim
