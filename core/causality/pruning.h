// Dynamo's pruning of version vectors, for buckets that ask for it.
//
// Each entry of a context keeps the time of its last known mint; when a put would leave more
// entries than a threshold, the oldest ones are dropped (DeCandia et al., Dynamo, 2007,
// section 4.4). Only minting prunes: merging never does, so an entry that another replica
// still has comes back with the next merge, and is dropped again by the next put.
//
// DANGER. A dropped entry is a promise forgotten: the versions that it covered are no longer
// known to have been seen. A replica that was away, or a message that was late, brings them
// back as false siblings, deleted values included. (Riak breeds siblings without end this way
// during handoff, riak_core #613.) Entries whose version is alive are never dropped, so no
// value is lost.

#ifndef NORN_CORE_CAUSALITY_PRUNING_H_
#define NORN_CORE_CAUSALITY_PRUNING_H_

#include <cstddef>

#include "core/causality/record.h"

namespace norn {

// Drops the oldest entries, of equal ones that of the smallest incarnation, until there are
// `entries_max` or only those of live versions are left. Returns how many it dropped.
// O(n log n).
size_t PruneOldestEntries(size_t entries_max, RecordView* record);

}  // namespace norn

#endif  // NORN_CORE_CAUSALITY_PRUNING_H_
