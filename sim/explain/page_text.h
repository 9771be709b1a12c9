// The page without its data: sim/explain/page/, put together by the build.

#ifndef NORN_SIM_EXPLAIN_PAGE_TEXT_H_
#define NORN_SIM_EXPLAIN_PAGE_TEXT_H_

namespace norn::sim {

// "@DATA@" stands for the data.
extern const char* const kPageText;

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_PAGE_TEXT_H_
