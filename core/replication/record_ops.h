// The functions that the store runs on a record, under its key's latch.
//
// Pure: the current record and an operation in, the next record out. Whatever is minted
// or merged anywhere goes through here, so this is the place to read about what a write
// does to its siblings. (What hints are beside their record: hint_record.h.)

#ifndef NORN_CORE_REPLICATION_RECORD_OPS_H_
#define NORN_CORE_REPLICATION_RECORD_OPS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/store.h"

namespace norn {

// Applies `op` to the encoded record `current` (empty: absent). On OK `*next` is the
// encoded result (empty: it is to go); equal to `current` where nothing changes, and then nothing
// need be written. Otherwise nothing is to be changed:
//   kInvalidArgument     too many siblings, bytes or context entries would result (a merge is
//                        never refused for that): the client must read and resolve
//   kAborted             the dot was seen before: this incarnation must not mint any more; or a
//                        hint that is to be removed has changed
//   kFailedPrecondition  the record, or what the client has seen of it, is dated further ahead
//                        of the minting replica's clock than max_clock_skew (lww)
//   kDataLoss            `current` or the record to merge is not a canonical record
//
// A version of a last-writer-wins record is dated by a hybrid logical clock (Kulkarni et al.,
// Logical Physical Clocks, 2014): the minting replica's wall clock, or just above the newest
// timestamp that its record or the client has seen, if that is later. So it wins over all that
// it replaces, whatever the clocks say.
absl::Status ApplyOp(const RecordOp& op, absl::string_view current, std::string* next);

// Of the encoded record alone, and not keyed: RemoveOp and those who agree on it mean this one.
RecordHash HashOf(absl::string_view record);

// What StoreReply::forgotten is to say of `op`: 0, or the incarnation whose dots were forgotten.
Incarnation ForgottenBy(const RecordOp& op);

// The two that make records, each alone: hints hold records, too.
absl::Status ApplyMerge(const MergeOp& op, absl::string_view current, std::string* next);
absl::Status ApplyMint(const MintOp& op, absl::string_view current, std::string* next);

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_RECORD_OPS_H_
