// What a fuzz target is here, and how it runs without libFuzzer.
//
// A target is one .cc file that defines the two functions below. Built with
// --config=fuzz, libFuzzer drives it, guided by coverage. In every other build
// corpus_main.cc does: it runs each seed, then seeded mutations of them, always the same
// ones, so that a target is also an ordinary, reproducible test, under sanitizers as well.
//
//   target                        the seeds and the default number of mutations
//   target --runs=N --seed=S      N mutations drawn from S
//   target --run=K --seed=S       the K-th of them only: what a crash prints
//   target --write=DIR            the seeds as files, for libFuzzer to start from
//   target FILE...                these inputs, such as what libFuzzer found

#ifndef NORN_TESTS_FUZZ_CORPUS_MAIN_H_
#define NORN_TESTS_FUZZ_CORPUS_MAIN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"

// Crashes, or returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace norn {

// Good inputs to start from; the same at each call. Defined by the target.
std::vector<std::string> FuzzSeeds();

// `seed` with a few bytes changed, removed, added, doubled, or replaced by a piece of
// `other`: the kinds of change that libFuzzer makes, without its guidance.
std::string Mutate(const std::string& seed, const std::string& other, Random* random);

}  // namespace norn

#endif  // NORN_TESTS_FUZZ_CORPUS_MAIN_H_
