#include "tests/fuzz/corpus_main.h"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/random.h"

namespace norn {
namespace {

constexpr uint64_t kDefaultRuns = 20000;

// What a crash prints. Plain globals: a signal handler reads them.
uint64_t running_seed = 0;
uint64_t running_run = 0;

void SayWhichRun(int signal) {
  std::fprintf(stderr, "signal %d in run %llu; again: --seed=%llu --run=%llu\n", signal,
               static_cast<unsigned long long>(running_run),
               static_cast<unsigned long long>(running_seed),
               static_cast<unsigned long long>(running_run));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void RunOne(const std::string& input) {
  // A copy of exactly this size on the heap: AddressSanitizer sees a read past its end.
  std::vector<uint8_t> bytes(input.begin(), input.end());
  bytes.shrink_to_fit();
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

// The input of one run depends on `seed` and `run` alone.
std::string InputOf(uint64_t seed, uint64_t run, const std::vector<std::string>& seeds) {
  if (run < seeds.size()) return seeds[run];
  Random random(SplitMix64(seed) + run);
  const std::string& one = seeds[random.Below(seeds.size())];
  const std::string& other = seeds[random.Below(seeds.size())];
  return Mutate(one, other, &random);
}

bool ParseFlag(const char* argument, const char* name, uint64_t* value) {
  const size_t size = std::strlen(name);
  if (std::strncmp(argument, name, size) != 0) return false;
  *value = std::strtoull(argument + size, nullptr, 10);
  return true;
}

int RunFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be opened\n", path);
    return 2;
  }
  RunOne(std::string(std::istreambuf_iterator<char>(file), {}));
  std::printf("%s: ok\n", path);
  return 0;
}

int WriteSeeds(const std::string& dir) {
  const std::vector<std::string> seeds = FuzzSeeds();
  for (size_t i = 0; i < seeds.size(); ++i) {
    const std::string path = dir + "/seed-" + std::to_string(i);
    std::ofstream file(path, std::ios::binary);
    file << seeds[i];
    if (!file.flush()) {
      std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
      return 2;
    }
  }
  return 0;
}

int RunSeeds(uint64_t seed, uint64_t first, uint64_t end) {
  const std::vector<std::string> seeds = FuzzSeeds();
  CORE_CHECK(!seeds.empty());
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal, SayWhichRun);
  }
  running_seed = seed;
  for (running_run = first; running_run < end; ++running_run) {
    RunOne(InputOf(seed, running_run, seeds));
  }
  std::printf("%zu seeds, runs %llu to %llu of --seed=%llu: ok\n", seeds.size(),
              static_cast<unsigned long long>(first), static_cast<unsigned long long>(end - 1),
              static_cast<unsigned long long>(seed));
  return 0;
}

}  // namespace

std::string Mutate(const std::string& seed, const std::string& other, Random* random) {
  std::string bytes = seed;
  for (uint64_t i = random->Between(1, 5); i > 0; --i) {
    const size_t at = random->Below(bytes.size() + 1);
    const size_t size = std::min<size_t>(random->Below(16) + 1, bytes.size() - at);
    switch (random->Below(8)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random->Below(8)));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random->Below(256));
        break;
      case 2: {
        // Numbers at the edges of their types, and lengths that lie.
        constexpr char kEdges[] = {0, 1, 0x7f, '\x80', '\xff'};
        bytes.replace(at, size, size, kEdges[random->Below(sizeof(kEdges))]);
        break;
      }
      case 3:
        bytes.erase(at, size);
        break;
      case 4:
        bytes.resize(at);
        break;
      case 5:
        bytes.insert(at, bytes.substr(at, size));
        break;
      case 6:
        bytes.insert(at, 1, static_cast<char>(random->Below(256)));
        break;
      default: {
        const size_t from = random->Below(other.size() + 1);
        bytes.replace(at, size, other, from, random->Below(64));
      }
    }
  }
  return bytes;
}

}  // namespace norn

int main(int argc, char** argv) {
  uint64_t seed = 1;
  uint64_t runs = norn::kDefaultRuns;
  uint64_t run = 0;
  bool one_run = false;
  std::vector<const char*> files;
  for (int i = 1; i < argc; ++i) {
    if (norn::ParseFlag(argv[i], "--seed=", &seed) || norn::ParseFlag(argv[i], "--runs=", &runs)) {
      continue;
    }
    if (norn::ParseFlag(argv[i], "--run=", &run)) {
      one_run = true;
    } else if (std::strncmp(argv[i], "--write=", 8) == 0) {
      return norn::WriteSeeds(argv[i] + 8);
    } else if (argv[i][0] == '-') {
      std::fprintf(stderr, "%s: unknown; known are --seed= --runs= --run= --write= FILE...\n",
                   argv[i]);
      return 2;
    } else {
      files.push_back(argv[i]);
    }
  }
  for (const char* const path : files) {
    if (const int failed = norn::RunFile(path); failed != 0) return failed;
  }
  if (!files.empty()) return 0;
  return one_run ? norn::RunSeeds(seed, run, run + 1) : norn::RunSeeds(seed, 0, runs);
}
