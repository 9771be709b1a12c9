// norn-dump verify DIR: every file of a node's directory, and how they fit together.
//
// Opens nothing for writing and takes no lock, so it can look at a running node's directory;
// what the node has in hand at that moment is a note then, not damage.

#ifndef NORN_TOOLS_DUMP_VERIFY_H_
#define NORN_TOOLS_DUMP_VERIFY_H_

#include "storage/file_system.h"
#include "tools/dump/console.h"
#include "tools/dump/directory_use.h"
#include "tools/dump/options.h"

namespace norn::dump {

// `use` is what is known of a running node when it begins.
void Verify(storage::FileSystem* file_system, const Options& options, const DirectoryUse& use,
            Console* console);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_VERIFY_H_
