#include "node/group_pacer.h"

#include "gtest/gtest.h"

namespace norn::node {
namespace {

TEST(GroupPacerTest, TheFirstGroupAndSingleWritersNeverWait) {
  GroupPacer pacer;
  EXPECT_EQ(pacer.StartAt(1'000, 1), 1'000);
  pacer.Started(1'000, 1);
  pacer.Finished(1'100);
  EXPECT_EQ(pacer.StartAt(1'100, 1), 1'100);
}

TEST(GroupPacerTest, AGroupMuchSmallerThanTheLastWaitsAsLongAsThatTook) {
  GroupPacer pacer;
  pacer.Started(1'000, 50);
  pacer.Finished(1'200);
  EXPECT_EQ(pacer.StartAt(1'210, 24), 1'400);
  EXPECT_EQ(pacer.StartAt(1'210, 25), 1'210) << "half will do";
  EXPECT_EQ(pacer.StartAt(1'500, 1), 1'500) << "waited long enough";
}

TEST(GroupPacerTest, ASlowDiskDoesNotMakeItWaitLong) {
  GroupPacer pacer;
  pacer.Started(0, 50);
  pacer.Finished(500'000);
  EXPECT_EQ(pacer.StartAt(500'000, 1), 501'000);
}

TEST(GroupPacerTest, WhenClientsLeaveOnlyOneGroupWaits) {
  GroupPacer pacer;
  pacer.Started(0, 50);
  pacer.Finished(200);
  EXPECT_EQ(pacer.StartAt(200, 1), 400);
  pacer.Started(400, 1);
  pacer.Finished(600);
  EXPECT_EQ(pacer.StartAt(600, 1), 600);
}

}  // namespace
}  // namespace norn::node
