#include <string>
#include <cstdio>
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/numeric/bits.h"
#include "absl/hash/hash.h"
ABSL_FLAG(std::string, name, "x", "A name.");
int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("hi");
  absl::ParseCommandLine(argc, argv);
  std::printf("%s %d\n", absl::GetFlag(FLAGS_name).c_str(), absl::popcount(7u));
}
