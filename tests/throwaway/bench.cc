#include <benchmark/benchmark.h>
#include "tests/throwaway/lib.h"
static void BM(benchmark::State& s) { for (auto _ : s) benchmark::DoNotOptimize(norn::HashOf("abc")); }
BENCHMARK(BM);
