// The Merkle tree of one partition replica: what two replicas compare instead of their data.
//
// Leaves are buckets: 2^depth equal ranges of positions (core/ring/position.h), each a
// contiguous range of the store. A bucket holds the sum, modulo 2^128, of the hashes of its
// records (causality/record_hasher.h); a node the sum of its children. So
//
//   * a write changes one bucket by the difference of two hashes: O(1), and the order of
//     writes does not matter;
//   * a tree of depth d also is one of any smaller depth: replicas whose trees differ in
//     depth compare the levels that both have;
//   * sums do not cancel as XORs do (a record twice is not nothing), and the hashes are keyed,
//     so nobody can choose records whose sums meet.
//
// (R. Merkle, A Digital Signature Based on a Conventional Encryption Function, 1987; Bellare,
// Micciancio, A New Paradigm for Collision-Free Hashing: Incrementality at Reduced Cost, 1997;
// Dynamo, section 4.7.)
//
// Nodes are numbered as in a heap: 1 is the root, 2n and 2n+1 are the children of n. A node
// thereby names its depth and its range.
//
// Memory: 16 bytes a bucket, at least one bucket. With the default of 500 (tree_bucket_keys) a
// tree that is rebuilt when it is TooFull() has 250 to 2,000 keys a bucket: at most 64 bytes
// per 1,000 keys. With more keys than 65,536 buckets serve (some 130 million in one partition)
// buckets just grow. Inner nodes are added up when they are asked for.

#ifndef NORN_CORE_ANTIENTROPY_MERKLE_TREE_H_
#define NORN_CORE_ANTIENTROPY_MERKLE_TREE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/antientropy/leaf_sums.h"
#include "core/coding.h"
#include "core/record_hash.h"
#include "core/ring/position.h"

namespace norn {

using TreeNode = uint32_t;
inline constexpr TreeNode kTreeRoot = 1;
inline constexpr int kTreeDepthMax = kPositionBits;
inline constexpr TreeNode kTreeNodesEnd = TreeNode{2} << kTreeDepthMax;

// `node` in [kTreeRoot, kTreeNodesEnd).
int DepthOf(TreeNode node);
// The positions [first, end) below it; `end` may be kPositions.
uint32_t FirstPosition(TreeNode node);
uint32_t EndPosition(TreeNode node);
// The first of the 2^levels nodes that lie so far below it, side by side.
inline TreeNode FirstBelow(TreeNode node, int levels) { return node << levels; }

class MerkleTree {
 public:
  // An empty tree. 0 <= depth <= kTreeDepthMax.
  explicit MerkleTree(int depth);
  // Of what was scanned. O(buckets + positions).
  MerkleTree(int depth, const LeafSums& leaves);

  // A record at `position` was replaced; absent hashes: it was not there, it is gone. O(1).
  void Apply(Position position, const RecordHash& before, const RecordHash& after);

  // DepthOf(node) <= depth(). O(buckets below).
  RecordHash Sum(TreeNode node) const;

  int depth() const { return depth_; }
  uint64_t keys() const { return keys_; }  // records, deleted ones included

  // The depth that a tree of so many keys is built with: at most `bucket_keys` a bucket on
  // average.
  static int DepthFor(uint64_t keys, uint64_t bucket_keys);
  // Time to rebuild it with more buckets: they hold four times as many.
  bool TooFull(uint64_t bucket_keys) const;

  // Buckets in which the two differ at the depth that both have. O(buckets).
  uint64_t CountDifferent(const MerkleTree& other) const;

  // varint(depth) varint(keys), then high and low of each bucket as fixed64.
  void AppendTo(std::string* out) const;
  // Fails the reader if that is not what it finds.
  static MerkleTree ReadFrom(ByteReader* reader);

 private:
  Sum128 SumOf(TreeNode node) const;

  int depth_;
  uint64_t keys_ = 0;
  std::vector<Sum128> buckets_;
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_MERKLE_TREE_H_
