#include "core/antientropy/merkle_tree.h"

#include <algorithm>
#include <bit>

#include "core/check.h"

namespace norn {

namespace {

constexpr uint64_t kGrowth = 4;  // how much fuller than when it was built a tree may become

}  // namespace

int DepthOf(TreeNode node) {
  CORE_CHECK(node >= kTreeRoot && node < kTreeNodesEnd);
  return std::bit_width(node) - 1;
}

uint32_t FirstPosition(TreeNode node) {
  const int depth = DepthOf(node);
  return (node - (TreeNode{1} << depth)) << (kTreeDepthMax - depth);
}

uint32_t EndPosition(TreeNode node) { return FirstPosition(node) + (kPositions >> DepthOf(node)); }

MerkleTree::MerkleTree(int depth) : depth_(depth) {
  CORE_CHECK(depth >= 0 && depth <= kTreeDepthMax);
  buckets_.resize(size_t{1} << depth);
}

MerkleTree::MerkleTree(int depth, const LeafSums& leaves) : MerkleTree(depth) {
  keys_ = leaves.keys();
  for (size_t i = 0; i < leaves.positions().size(); ++i) {
    buckets_[leaves.positions()[i] >> (kTreeDepthMax - depth)] += leaves.sums()[i];
  }
}

void MerkleTree::Apply(Position position, const RecordHash& before, const RecordHash& after) {
  Sum128& bucket = buckets_[position >> (kTreeDepthMax - depth_)];
  bucket += Wide(after) - Wide(before);
  keys_ += before.absent() ? 1u : 0u;
  keys_ -= after.absent() ? 1u : 0u;
}

Sum128 MerkleTree::SumOf(TreeNode node) const {
  const int below = depth_ - DepthOf(node);
  CORE_CHECK(below >= 0);
  const size_t first = FirstBelow(node, below) - (size_t{1} << depth_);
  Sum128 sum = 0;
  for (size_t i = 0; i < size_t{1} << below; ++i) sum += buckets_[first + i];
  return sum;
}

RecordHash MerkleTree::Sum(TreeNode node) const {
  const Sum128 sum = SumOf(node);
  return RecordHash{static_cast<uint64_t>(sum >> 64), static_cast<uint64_t>(sum)};
}

bool MerkleTree::TooFull(uint64_t bucket_keys) const {
  return depth_ < kTreeDepthMax && keys_ > (kGrowth * bucket_keys) << depth_;
}

int MerkleTree::DepthFor(uint64_t keys, uint64_t bucket_keys) {
  int depth = 0;
  while (depth < kTreeDepthMax && keys > bucket_keys << depth) ++depth;
  return depth;
}

uint64_t MerkleTree::CountDifferent(const MerkleTree& other) const {
  const int depth = std::min(depth_, other.depth_);
  const TreeNode first = FirstBelow(kTreeRoot, depth);
  uint64_t count = 0;
  for (TreeNode node = first; node < 2 * first; ++node) {
    count += SumOf(node) == other.SumOf(node) ? 0u : 1u;
  }
  return count;
}

void MerkleTree::AppendTo(std::string* out) const {
  AppendVarint(out, static_cast<uint64_t>(depth_));
  AppendVarint(out, keys_);
  for (const Sum128 bucket : buckets_) {
    AppendFixed64(out, static_cast<uint64_t>(bucket >> 64));
    AppendFixed64(out, static_cast<uint64_t>(bucket));
  }
}

MerkleTree MerkleTree::ReadFrom(ByteReader* reader) {
  MerkleTree tree(static_cast<int>(reader->ReadVarintUpTo(kTreeDepthMax)));
  tree.keys_ = reader->ReadVarint();
  for (Sum128& bucket : tree.buckets_) {
    const uint64_t high = reader->ReadFixed64();
    bucket = Wide({high, reader->ReadFixed64()});
    if (reader->failed()) break;
  }
  return tree;
}

}  // namespace norn
