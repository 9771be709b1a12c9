#include "core/antientropy/merkle_tree.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/causality/record_hasher.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

RecordHash Draw(Random& random) { return RecordHash{random.Next64() | 1, random.Next64()}; }

TEST(MerkleTreeTest, NodesNameTheirRanges) {
  EXPECT_EQ(DepthOf(kTreeRoot), 0);
  EXPECT_EQ(FirstPosition(kTreeRoot), 0u);
  EXPECT_EQ(EndPosition(kTreeRoot), kPositions);
  EXPECT_EQ(DepthOf(kTreeNodesEnd - 1), kTreeDepthMax);
  EXPECT_EQ(FirstPosition(kTreeNodesEnd - 1), 65535u);
  EXPECT_EQ(EndPosition(kTreeNodesEnd - 1), kPositions);
  for (TreeNode node = 1; node < 1024; ++node) {
    const TreeNode child = FirstBelow(node, 1);
    EXPECT_EQ(FirstPosition(child), FirstPosition(node));
    EXPECT_EQ(EndPosition(child), FirstPosition(child + 1));
    EXPECT_EQ(EndPosition(child + 1), EndPosition(node));
  }
}

// The least and the greatest position of each bucket belong to it, whatever the depth.
TEST(MerkleTreeTest, BoundsOfBuckets) {
  Random random(1);
  for (int depth = 0; depth <= kTreeDepthMax; ++depth) {
    const TreeNode first = FirstBelow(kTreeRoot, depth);
    for (int i = 0; i < 50; ++i) {
      const TreeNode node = first + static_cast<TreeNode>(random.Below(first));
      for (const uint32_t position : {FirstPosition(node), EndPosition(node) - 1}) {
        MerkleTree tree(depth);
        const RecordHash hash = Draw(random);
        tree.Apply(static_cast<Position>(position), RecordHash(), hash);
        EXPECT_EQ(tree.Sum(node), hash) << "depth " << depth << " position " << position;
      }
    }
  }
}

// A tree after any changes is the tree of what there is, and so is one of leaves, of any depth.
RC_GTEST_PROP(MerkleTreeProperty, IsTheSumOfWhatThereIs, (uint64_t seed)) {
  Random random(seed);
  const int depth = static_cast<int>(random.Below(kTreeDepthMax + 1));
  MerkleTree tree(depth);
  LeafSums leaves;
  std::map<uint64_t, std::pair<Position, RecordHash>> records;
  for (int i = 0; i < 300; ++i) {
    auto& [position, hash] = records[random.Below(60)];
    if (hash.absent()) position = static_cast<Position>(random.Below(kPositions));
    const RecordHash next = random.Chance(1, 5) ? RecordHash() : Draw(random);
    tree.Apply(position, hash, next);
    leaves.Apply(position, hash, next);
    hash = next;
  }
  const int folded = static_cast<int>(random.Below(static_cast<uint64_t>(depth) + 1));
  const TreeNode first = FirstBelow(kTreeRoot, folded);
  std::map<TreeNode, Sum128> sums;
  uint64_t keys = 0;
  for (const auto& [id, record] : records) {
    if (record.second.absent()) continue;
    ++keys;
    sums[first + (record.first >> (kTreeDepthMax - folded))] += Wide(record.second);
  }
  RC_ASSERT(tree.keys() == keys);
  std::string bytes;
  tree.AppendTo(&bytes);
  ByteReader reader(bytes);
  const MerkleTree read = MerkleTree::ReadFrom(&reader);
  RC_ASSERT(reader.Done());
  RC_ASSERT(read.keys() == keys && read.depth() == depth && read.CountDifferent(tree) == 0);
  const MerkleTree shallow(folded, leaves);
  RC_ASSERT(shallow.depth() == folded && shallow.keys() == keys);
  RC_ASSERT(shallow.CountDifferent(tree) == 0);
  for (TreeNode node = first; node < 2 * first; ++node) {
    RC_ASSERT(Wide(tree.Sum(node)) == sums[node]);
    RC_ASSERT(shallow.Sum(node) == tree.Sum(node));
  }
}

TEST(MerkleTreeTest, DifferencesAreCountedByBucket) {
  Random random(1);
  MerkleTree one(4);
  MerkleTree other(6);
  other.Apply(0, RecordHash(), Draw(random));
  other.Apply(1, RecordHash(), Draw(random));
  other.Apply(65535, RecordHash(), Draw(random));
  EXPECT_EQ(one.CountDifferent(other), 2u);
  EXPECT_EQ(other.CountDifferent(one), 2u);
}

TEST(MerkleTreeTest, DepthFollowsTheKeys) {
  EXPECT_EQ(MerkleTree::DepthFor(0, 500), 0);
  EXPECT_EQ(MerkleTree::DepthFor(500, 500), 0);
  EXPECT_EQ(MerkleTree::DepthFor(501, 500), 1);
  EXPECT_EQ(MerkleTree::DepthFor(1'000'000, 500), 11);
  EXPECT_EQ(MerkleTree::DepthFor(~uint64_t{0} >> 20, 500), kTreeDepthMax);
  Random random(1);
  MerkleTree tree(0);
  for (int i = 0; i < 2000; ++i) tree.Apply(0, RecordHash(), Draw(random));
  EXPECT_FALSE(tree.TooFull(500));
  const RecordHash last = Draw(random);
  tree.Apply(0, RecordHash(), last);
  EXPECT_TRUE(tree.TooFull(500));
  tree.Apply(0, last, RecordHash());
  EXPECT_FALSE(tree.TooFull(500));
}

// What XOR would hide: a hash twice; and few keys and values never sum alike.
TEST(MerkleTreeTest, FewChosenRecordsDoNotCancel) {
  const RecordHasher hasher("cluster", "secret");
  MerkleTree tree(0);
  const RecordHash hash = hasher.Hash("a", "x");
  tree.Apply(1, RecordHash(), hash);
  tree.Apply(2, RecordHash(), hash);
  EXPECT_FALSE(tree.Sum(kTreeRoot).absent());
  // Swapped values, equal values, one byte apart: pairs all sum differently.
  std::set<std::pair<uint64_t, uint64_t>> sums;
  size_t pairs = 0;
  for (char key = 'a'; key < 'k'; ++key) {
    for (char other = static_cast<char>(key + 1); other < 'k'; ++other) {
      for (char value = 'a'; value < 'k'; ++value) {
        for (char second = 'a'; second < 'k'; ++second) {
          MerkleTree pair(0);
          pair.Apply(0, RecordHash(), hasher.Hash(std::string(1, key), std::string(1, value)));
          pair.Apply(0, RecordHash(), hasher.Hash(std::string(1, other), std::string(1, second)));
          const RecordHash sum = pair.Sum(kTreeRoot);
          sums.insert({sum.high, sum.low});
          ++pairs;
        }
      }
    }
  }
  EXPECT_EQ(sums.size(), pairs);
}

TEST(MerkleTreeTest, BadBytesFailTheReader) {
  for (const std::string& bytes :
       {std::string(), std::string("\x11", 1), std::string("\x01\x00", 2),
        std::string("\x10\x00"
                    "abc",
                    5)}) {
    ByteReader reader(bytes);
    MerkleTree::ReadFrom(&reader);
    EXPECT_FALSE(reader.Done());
  }
}

}  // namespace
}  // namespace norn
