// The writers of a SyncPlan as threads, for engines whose calls block.

#ifndef NORN_BENCHMARKS_ENGINES_SYNC_THREADS_H_
#define NORN_BENCHMARKS_ENGINES_SYNC_THREADS_H_

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "benchmarks/engines/adapter.h"

namespace norn::benchmarks {

// `put` returns when the write is durable.
void RunSyncThreads(const SyncPlan& plan,
                    absl::FunctionRef<void(absl::string_view key, absl::string_view value)> put,
                    SyncOutcome* outcome);

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_SYNC_THREADS_H_
