#include "tools/dump/run.h"

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/posix_file_system.h"
#include "tools/dump/console.h"
#include "tools/dump/directory_use.h"
#include "tools/dump/dump.h"
#include "tools/dump/options.h"
#include "tools/dump/verify.h"

namespace norn::dump {

int Run(const std::vector<std::string>& arguments, bool shows_progress, std::ostream& out,
        std::ostream& err) {
  const absl::StatusOr<Options> options = ParseArguments(arguments);
  if (!options.ok()) {
    err << "norn-dump: " << options.status().message() << "\n";
    return kExitUnusable;
  }
  storage::PosixFileSystem file_system;
  Console console(out, err, options->json);
  console.set_shows_progress(shows_progress && !options->json);
  switch (options->command) {
    case Options::Command::kHelp:
      out << kUsage;
      break;
    case Options::Command::kWal:
      DumpWal(&file_system, *options, &console);
      break;
    case Options::Command::kTable:
      DumpTable(&file_system, *options, &console);
      break;
    case Options::Command::kManifest:
      DumpManifest(&file_system, *options, &console);
      break;
    case Options::Command::kVerify:
      Verify(&file_system, *options, FindUse(options->path), &console);
      break;
  }
  console.Progress("");
  out.flush();
  if (!out) {
    err << "norn-dump: the output cannot be written; is the disk full, or the reader gone?\n";
    return kExitUnusable;
  }
  return console.ExitCode();
}

}  // namespace norn::dump
