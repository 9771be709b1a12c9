// The fixture of the inspector's tests: a directory that the engine wrote on a real disk,
// and norn-dump run on it.

#ifndef NORN_TOOLS_DUMP_TESTING_STORE_FIXTURE_H_
#define NORN_TOOLS_DUMP_TESTING_STORE_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/types.h"
#include "gtest/gtest.h"
#include "storage/engine.h"
#include "storage/file_names.h"
#include "storage/posix_file_system.h"

namespace norn::dump {

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome RunDump(const std::vector<std::string>& arguments);

// The lines of `out` that hold all of `parts`.
std::vector<std::string> LinesWith(const std::string& out, const std::vector<std::string>& parts);

// Empty, or what Python finds wrong with `lines` as JSON lines.
std::string JsonErrors(const std::string& lines);

std::string ReadBytes(const std::string& path);
void WriteBytes(const std::string& path, absl::string_view bytes);

// A record with one version, minted by node 3.
std::string RecordOf(uint64_t counter, absl::string_view value);

class StoreTest : public testing::Test {
 protected:
  StoreTest();

  // Keys "user:0", ... of several partitions, some of them deleted or with siblings, in
  // tables of two levels and in three logs; a slot. The engine is closed.
  void BuildStore();

  // An engine on the directory, for stores of a test's own.
  void OpenEngine();
  void Put(PartitionId partition, absl::string_view key, const std::string& value);
  void CloseEngine() { engine_.reset(); }

  // Paths of the files of a kind, by number.
  std::vector<std::string> Files(storage::FileKind kind) const;
  std::map<std::string, std::string> Snapshot() const;  // by path
  Outcome Verify(const std::vector<std::string>& options = {}) const;

  storage::PosixFileSystem file_system_;
  storage::EngineOptions options_;
  std::unique_ptr<storage::Engine> engine_;
};

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_TESTING_STORE_FIXTURE_H_
