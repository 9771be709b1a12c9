// A case performed once more, drawn, explained, and repeated without each of its parts.

#ifndef NORN_SIM_EXPLAIN_EXPLAIN_CASE_H_
#define NORN_SIM_EXPLAIN_EXPLAIN_CASE_H_

#include <functional>
#include <memory>

#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/explain/explanation.h"
#include "sim/explain/timeline.h"
#include "sim/subject.h"

namespace norn::sim {

struct ExplainedCase {
  CaseRun run;  // with its events
  Timeline timeline;
  Explanation explanation;
};

// `made` is MakeCase(subject, written). At most one run after `over` says that there is no time for
// more.
ExplainedCase ExplainCase(const Subject& subject, const v1::Case& written,
                          const std::shared_ptr<const Case>& made,
                          const std::function<bool()>& over, CaseRunner* runner);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_EXPLAIN_CASE_H_
