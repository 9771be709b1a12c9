// Counts the heap allocations of a program that is linked with it: all that operator new makes.

#ifndef NORN_BENCHMARKS_ALLOCATIONS_H_
#define NORN_BENCHMARKS_ALLOCATIONS_H_

#include <cstdint>

namespace norn {

// Since the program's start. Threads: any; what others allocate meanwhile is counted as well.
uint64_t AllocationsMade();

}  // namespace norn

#endif  // NORN_BENCHMARKS_ALLOCATIONS_H_
