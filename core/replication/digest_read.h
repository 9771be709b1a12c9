// Replies to a read, some of which may be digests.
//
// One replica is asked for its record, the others may answer with a keyed 128-bit hash of theirs
// if the record is large (NodeOptions::digest_above_bytes): the same round, fewer bytes. What
// makes that no weaker than whole records:
//
//   * a digest is a vote like a record: given for what was durable at that moment, in that life
//     and epoch. It counts as long as a record is at hand that has this hash: then the replica
//     held that record;
//   * otherwise nothing is known of what the replica holds: its vote is taken back, and it is asked
//     for its record, which is a new vote of a later moment, under that moment's life and epoch.
//     Digest and record of different moments are never taken for one reply;
//   * who was asked for its record is not believed a digest any more: one that was late on its way
//     cannot undo what the record said.
//
// (Dynamo's and Cassandra's digest reads; there a digest of 16 bytes of MD5. The hash here is the
// one that Merkle trees add up, so clients cannot choose two records of one hash.)

#ifndef NORN_CORE_REPLICATION_DIGEST_READ_H_
#define NORN_CORE_REPLICATION_DIGEST_READ_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "core/causality/record_hasher.h"
#include "core/causality/version_vector.h"
#include "core/messages.h"
#include "core/record_hash.h"
#include "core/types.h"

namespace norn {

struct ReadReply {
  NodeId from = kNoNode;
  std::string record;
  Incarnation life = 0;
  std::vector<Fence> fences;
  uint64_t epoch = 0;
  RecordHash digest = {};  // not absent: of a record that was not sent; `record` is empty

  bool IsDigest() const { return !digest.absent(); }
};

using ReadReplies = absl::InlinedVector<ReadReply, 3>;

// Whether the replica that replied held exactly this record.
inline bool HeldExactly(const ReadReply& reply, const RecordHasher& hasher, absl::string_view key,
                        absl::string_view record) {
  return reply.IsDigest() ? reply.digest == hasher.Hash(key, record) : reply.record == record;
}

// Takes the digests of records that none of `replies` brought out of them: whose they are.
// O(bytes of records), if there is a digest.
inline absl::InlinedVector<NodeId, 3> TakeUnexplained(const RecordHasher& hasher,
                                                      absl::string_view key, ReadReplies& replies) {
  absl::InlinedVector<NodeId, 3> unexplained;
  const auto is_digest = [](const ReadReply& reply) { return reply.IsDigest(); };
  if (std::none_of(replies.begin(), replies.end(), is_digest)) return unexplained;
  absl::InlinedVector<RecordHash, 3> known;
  for (const ReadReply& reply : replies) {
    if (!reply.IsDigest()) known.push_back(hasher.Hash(key, reply.record));
  }
  const auto is_unexplained = [&known](const ReadReply& reply) {
    return reply.IsDigest() && std::find(known.begin(), known.end(), reply.digest) == known.end();
  };
  for (const ReadReply& reply : replies) {
    if (is_unexplained(reply)) unexplained.push_back(reply.from);
  }
  replies.erase(std::remove_if(replies.begin(), replies.end(), is_unexplained), replies.end());
  return unexplained;
}

// Who was asked for a digest, and for nothing more since.
class DigestAsked {
 public:
  void Add(NodeId replica) { asked_.push_back(replica); }
  void Remove(NodeId replica) {
    asked_.erase(std::remove(asked_.begin(), asked_.end(), replica), asked_.end());
  }
  bool Has(NodeId replica) const {
    return std::find(asked_.begin(), asked_.end(), replica) != asked_.end();
  }

 private:
  absl::InlinedVector<NodeId, 3> asked_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_DIGEST_READ_H_
