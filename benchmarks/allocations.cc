#include "benchmarks/allocations.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace norn {
namespace {
std::atomic<uint64_t> made{0};
}  // namespace

uint64_t AllocationsMade() { return made.load(std::memory_order_relaxed); }

}  // namespace norn

// The other forms call these.
void* operator new(size_t bytes) {
  norn::made.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*bytes*/) noexcept { std::free(memory); }
