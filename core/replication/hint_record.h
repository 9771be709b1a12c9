// What a stand-in keeps of a key: the record, and the owners that it is kept for.
//
// One hint for each key, in kHintSpace, under the record key: however many owners of the key
// one server stands in for, it has one record, and whatever it mints or merges goes into that
// one under one latch. Two records would not do: a version minted into the one would cover, by
// its counter, a version of the same incarnation that lies in the other.
//
//   hint := 0x68 varint(#owners) varint(owner)+ record      owners ascending and distinct
//
// (Dynamo, section 4.6; the compare before the removal is what "removed a hint that had grown
// meanwhile" teaches, riak_kv #1754.)

#ifndef NORN_CORE_REPLICATION_HINT_RECORD_H_
#define NORN_CORE_REPLICATION_HINT_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/store.h"
#include "core/types.h"

namespace norn {

struct HintView {
  std::vector<NodeId> owners;  // none: there is no hint
  absl::string_view record;    // canonical; borrowed from the bytes that were parsed

  // False: the bytes are no hint. Empty bytes are the absent hint. The record itself is not
  // looked into.
  static bool Parse(absl::string_view bytes, HintView* view);
  std::string Encode() const;
  bool IsFor(NodeId owner) const;
};

// As ApplyOp (record_ops.h), on a hint. `*next` is empty where the hint is to go. Besides
// ApplyOp's errors: kAborted where a hint that is to be removed has changed.
absl::Status ApplyHintMerge(const HintMergeOp& op, absl::string_view current, std::string* next);
absl::Status ApplyHintMint(const HintMintOp& op, absl::string_view current, std::string* next);
absl::Status ApplyHintRemove(const HintRemoveOp& op, absl::string_view current, std::string* next);

// The op that removes the hint for `owner` while it holds just this record.
HintRemoveOp MakeHintRemoveOp(NodeId owner, absl::string_view record);

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_HINT_RECORD_H_
