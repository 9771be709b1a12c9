#include "tools/dump/testing/store_fixture.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/causality/record.h"
#include "core/causality/version_vector.h"
#include "core/types.h"
#include "gtest/gtest.h"
#include "storage/engine.h"
#include "storage/file_names.h"
#include "storage/record_storage.h"
#include "storage/testing/engine_driver.h"
#include "tools/dump/run.h"

namespace norn::dump {
namespace {

constexpr uint64_t kDrawn = 0xabcdef123456;

std::string TemporaryPath(absl::string_view name) {
  const char* const dir = std::getenv("TEST_TMPDIR");
  return absl::StrCat(dir == nullptr ? "/tmp" : dir, "/", name);
}

Version MakeVersion(NodeId node, uint64_t counter, absl::string_view value) {
  Version version;
  version.dot = {.incarnation = MakeIncarnation(node, kDrawn), .counter = counter};
  version.wall_us = 1'700'000'000'000'000 + static_cast<int64_t>(counter);
  version.value = std::string(value);
  return version;
}

std::string TombstoneRecord(uint64_t counter) {
  Record record;
  Version version = MakeVersion(3, counter, "");
  version.tombstone = true;
  record.Put(version, VersionVector());
  return record.Encode();
}

std::string SiblingsRecord(uint64_t counter, absl::string_view value) {
  Record record;
  record.Put(MakeVersion(3, counter, value), VersionVector());
  record.Put(MakeVersion(4, counter, "the other"), VersionVector());
  return record.Encode();
}

}  // namespace

Outcome RunDump(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Outcome outcome;
  outcome.exit_code = Run(arguments, /*shows_progress=*/false, out, err);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

std::vector<std::string> LinesWith(const std::string& out, const std::vector<std::string>& parts) {
  std::vector<std::string> found;
  for (const absl::string_view line : absl::StrSplit(out, '\n')) {
    const bool all = std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
      return line.find(part) != absl::string_view::npos;
    });
    if (all && !line.empty()) found.emplace_back(line);
  }
  return found;
}

std::string JsonErrors(const std::string& lines) {
  const std::string path = TemporaryPath("lines.json");
  WriteBytes(path, lines);
  const std::string command =
      absl::StrCat("/usr/bin/python3 -m json.tool --json-lines '", path, "' 2>&1 >/dev/null");
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "python3 cannot be run";
  std::string errors;
  char chunk[4096];
  while (std::fgets(chunk, sizeof(chunk), pipe) != nullptr) errors += chunk;
  const int result = ::pclose(pipe);
  return result == 0 ? errors : absl::StrCat("json.tool exits with ", result, ": ", errors);
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteBytes(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good()) << path;
}

std::string RecordOf(uint64_t counter, absl::string_view value) {
  Record record;
  record.Put(MakeVersion(3, counter, value), VersionVector());
  return record.Encode();
}

StoreTest::StoreTest() {
  options_.dir = TemporaryPath("store");
  options_.owner = "cluster/3";
  options_.seed = 7;
  options_.memtable_bytes = 3000;
  options_.immutable_memtables_max = 3;
  options_.block_bytes = 256;
  options_.index_partition_bytes = 60;
  options_.block_restart_interval = 4;
  options_.level0_tables_to_compact = 2;
  options_.level1_bytes = 4000;
  options_.table_bytes = 2000;
  options_.wal_preallocate_bytes = 1024;
  std::filesystem::remove_all(options_.dir);
}

void StoreTest::OpenEngine() {
  storage::RecoveryReport report;
  ++options_.seed;
  absl::StatusOr<std::unique_ptr<storage::Engine>> engine =
      storage::Engine::Open(file_system_, options_, &report);
  ASSERT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
}

void StoreTest::Put(PartitionId partition, absl::string_view key, const std::string& value) {
  uint64_t sequence = 0;
  const absl::Status status =
      engine_->Put(storage::MakeEngineKey(partition, MakeRecordKey(0, key)), value, &sequence);
  ASSERT_TRUE(status.ok()) << status;
}

void StoreTest::BuildStore() {
  OpenEngine();
  uint64_t counter = 0;
  const auto put_some = [&](int from, int to, storage::Lane until) {
    for (int i = from; i < to; ++i) {
      const std::string key = absl::StrCat("user:", i % 90);
      const std::string text = absl::StrCat("value ", i, " ", std::string(i % 40, 'v'));
      ++counter;
      Put(static_cast<PartitionId>(i % 4), key,
          i % 10 == 3   ? TombstoneRecord(counter)
          : i % 10 == 7 ? SiblingsRecord(counter, text)
                        : RecordOf(counter, text));
      if (until == storage::Lane::kLog) {
        while (storage::RunJob(engine_.get(), storage::Lane::kLog)) {
        }
      } else if (i % 20 == 19) {
        storage::RunJobs(engine_.get());
      }
    }
  };
  put_some(0, 200, storage::Lane::kBackground);
  engine_->WriteSlot("lease", "the lease", 1);
  storage::RunJobs(engine_.get());
  // Memtables that wait to be flushed keep their logs.
  put_some(200, 280, storage::Lane::kLog);
  CloseEngine();
  ASSERT_GE(Files(storage::FileKind::kTable).size(), 3u);
  ASSERT_GE(Files(storage::FileKind::kWal).size(), 3u);
  ASSERT_EQ(Files(storage::FileKind::kManifest).size(), 1u);
  ASSERT_EQ(Files(storage::FileKind::kSlot).size(), 1u);
}

std::vector<std::string> StoreTest::Files(storage::FileKind kind) const {
  std::map<uint64_t, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(options_.dir)) {
    const storage::FileName name = storage::ParseFileName(entry.path().filename().string());
    if (name.kind == kind) found[name.number] = entry.path().string();
  }
  std::vector<std::string> paths;
  for (const auto& [number, path] : found) paths.push_back(path);
  return paths;
}

std::map<std::string, std::string> StoreTest::Snapshot() const {
  std::map<std::string, std::string> bytes;
  for (const auto& entry : std::filesystem::directory_iterator(options_.dir)) {
    bytes[entry.path().string()] = ReadBytes(entry.path().string());
  }
  return bytes;
}

Outcome StoreTest::Verify(const std::vector<std::string>& options) const {
  std::vector<std::string> arguments = {"verify", options_.dir};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return RunDump(arguments);
}

}  // namespace norn::dump
