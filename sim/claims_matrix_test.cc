#include "sim/claims_matrix.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "sim/claims_command.h"
#include "sim/run_result.h"
#include "sim/scenario_library.h"
#include "sim/universe_config.h"

namespace norn::sim {
namespace {

TEST(ClaimsMatrix, EveryClaimIsInARowAndHasPlantedBugs) {
  const ClaimsMatrix& matrix = NornsClaims();
  std::set<std::string> in_rows;
  for (const ClaimsRow& row : matrix.rows) {
    for (const std::string& name : row.promises) {
      EXPECT_NE(matrix.Find(name), nullptr) << name;
      in_rows.insert(name);
    }
  }
  for (const Claim claim : AllClaims()) {
    ASSERT_NE(matrix.Find(ClaimName(claim)), nullptr) << ClaimName(claim);
    EXPECT_EQ(matrix.Find(ClaimName(claim))->claim, claim);
  }
  for (const Promise& promise : matrix.promises) {
    EXPECT_EQ(in_rows.count(promise.name), 1u) << promise.name << " is in no row";
    EXPECT_FALSE(promise.planted_bugs.empty()) << "nothing proves " << promise.name;
  }
}

TEST(ClaimsMatrix, ThePlantedBugsAreThoseThatThereAre) {
  std::set<std::string> named, there;
  for (const Promise& promise : NornsClaims().promises) {
    named.insert(promise.planted_bugs.begin(), promise.planted_bugs.end());
  }
  for (const auto& file : std::filesystem::directory_iterator("tests/mutants")) {
    if (file.path().extension() == ".patch") there.insert(file.path().stem().string());
  }
  EXPECT_EQ(named, there);
}

TEST(ClaimsMatrix, EveryWitnessIsThereAndNoneIsIdle) {
  std::set<std::string> named, there;
  for (const ClaimsRow& row : NornsClaims().rows) {
    EXPECT_FALSE(row.never.empty()) << row.configuration;
    for (const NeverClaimed& never : row.never) {
      if (!never.witness.empty()) named.insert(never.witness);
    }
  }
  for (const LibraryScenario& one : WitnessScenarios()) {
    EXPECT_TRUE(there.insert(one.name).second) << one.name;
    EXPECT_EQ(FindInLibrary(one.name), &one) << "the library has another " << one.name;
  }
  EXPECT_EQ(named, there);
}

// A row's claims hold of what its witnesses run, or the row promises too much. Requests with an R
// of their own are an exception: the bucket that permits them is no longer one with R + W above N.
TEST(ClaimsMatrix, NoRowPromisesWhatItsConfigurationCannotHave) {
  for (const ClaimsRow& row : NornsClaims().rows) {
    for (const NeverClaimed& never : row.never) {
      if (never.witness.empty() || never.witness == "request-below-quorum") continue;
      const auto scenario = FindScenario(never.witness);
      ASSERT_TRUE(scenario.ok()) << scenario.status();
      const UniverseConfig config = (*scenario)->Config();
      for (const std::string& name : row.promises) {
        const Promise* const promise = NornsClaims().Find(name);
        if (!promise->claim.has_value()) continue;
        EXPECT_EQ(WhyNot(*promise->claim, config), "") << row.configuration << ": " << name;
      }
    }
  }
}

TEST(ClaimsMatrix, AWitnessThatDoesNotShowItsAnomalyIsNoticed) {
  const std::string path = testing::TempDir() + "/idle.textproto";
  std::ofstream(path) << "description: \"nothing hides the write: it is read\"\n"
                         "step { operation { kind: PUT key: \"k\" value: \"a\" } }\n"
                         "step { operation { key: \"k\" reads_nothing: true } }\n";
  const ClaimsMatrix idle{{}, {{"any", {}, {{"that writes are read", path}}}}};
  EXPECT_EQ(ClaimsCommand(idle, {"--prove"}, 1), kExitViolated);
  const auto showing = ShowWitness(path, 2, 1);
  ASSERT_TRUE(showing.ok()) << showing.status();
  EXPECT_EQ(showing->runs, 2u);
  EXPECT_EQ(showing->shown, 0u);
  EXPECT_NE(showing->otherwise.find("idle.textproto:3"), std::string::npos) << showing->otherwise;
  EXPECT_EQ(ShowWitness("stale-read", 2, 1)->shown, 2u);
  EXPECT_FALSE(ShowWitness("no-such-witness", 1, 1).ok());
}

}  // namespace
}  // namespace norn::sim
