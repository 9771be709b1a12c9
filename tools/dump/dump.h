// The commands that show one file.

#ifndef NORN_TOOLS_DUMP_DUMP_H_
#define NORN_TOOLS_DUMP_DUMP_H_

#include "storage/file_system.h"
#include "tools/dump/console.h"
#include "tools/dump/options.h"

namespace norn::dump {

void DumpWal(storage::FileSystem* file_system, const Options& options, Console* console);
void DumpTable(storage::FileSystem* file_system, const Options& options, Console* console);
void DumpManifest(storage::FileSystem* file_system, const Options& options, Console* console);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_DUMP_H_
