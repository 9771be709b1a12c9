// Runs each transcript of testdata/ and compares. NORN_REWRITE=1 bazel run writes down what
// came of it instead: then read the difference before it is committed.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/golden/transcript.h"

namespace norn::golden {
namespace {

constexpr char kFolder[] = "tests/golden/testdata";

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Blank lines at the end are nobody's business.
std::string Trimmed(std::string text) {
  while (text.size() > 1 && text.substr(text.size() - 2) == "\n\n") text.pop_back();
  return text;
}

class GoldenTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, Transcript) {
  const std::filesystem::path file = std::filesystem::path(kFolder) / (GetParam() + ".txt");
  const std::string text = Read(file);
  ASSERT_FALSE(text.empty());
  const std::string now = Trimmed(Transcript::Run(text));
  EXPECT_EQ(now.find("\n(no such command"), std::string::npos) << now;
  // The same commands, the same outcome, in one process as in the next.
  EXPECT_EQ(now, Trimmed(Transcript::Run(text)));
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (std::getenv("NORN_REWRITE") != nullptr && workspace != nullptr) {
    std::ofstream(std::filesystem::path(workspace) / file, std::ios::binary) << now;
    return;
  }
  EXPECT_EQ(now, text) << "if this is meant: NORN_REWRITE=1 bazel run //tests/golden:golden_test";
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest, ::testing::ValuesIn(Names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace norn::golden
