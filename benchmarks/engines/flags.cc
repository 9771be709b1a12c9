#include "benchmarks/engines/flags.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace norn::benchmarks {

const char kUsage[] =
    R"(Norn's LSM engine beside LevelDB and RocksDB: the same work, in turns, in one run.

usage: bazel run --config=release //benchmarks:compare_engines -- [OPTION]...

  --quick                    fewer entries: under a minute in all
  --only TEXT                only what has TEXT in its name, such as "readrandom" or "100 B fill"
  --engines LIST             of norn,leveldb,rocksdb; the first is compared with the others
  --entries N                default: 5000000 of 100 B, 1000000 of 1000 B
  --value-bytes LIST         default: 100,1000
  --compression WORD         none (default), lz4, zstd, or lz4+zstd: zstd in the last level only;
                             LevelDB, which has neither, takes Snappy instead
  --memory full|tenth        block caches for all of the data (default), or for a tenth of it
  --norn-reads inline|lane   blocks that are not cached are read on the engine's thread
                             (default), as the peers do, or on the read lane, as nornd does
  --norn-sync none|always    its log, where nobody waits for the disk: written, as the peers'
                             (default), or also synced, group by group
  --norn-compaction-rate N   bytes that its compactions may write each second; default: 0, any
  --rounds N                 default: 1; the median of the rounds counts
  --patience SECONDS         how long to wait in all for other programs to be quiet; default: 0
  --dir DIR                  where the engines keep their files; default: a temporary directory
  --json FILE                the figures, row by row
  --plot FILE.svg            the ratios, as bars
)";

namespace {

absl::Status Wrong(absl::string_view option, absl::string_view value, absl::string_view takes) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, " ", value, ": it takes ", takes, "; --help tells more"));
}

// One of two words.
absl::Status ParseChoice(absl::string_view option, absl::string_view value, absl::string_view no,
                         absl::string_view yes, bool* choice) {
  *choice = value == yes;
  if (value == no || value == yes) return absl::OkStatus();
  return Wrong(option, value, absl::StrCat(no, " or ", yes));
}

absl::Status ParseEngines(absl::string_view value, std::vector<EngineKind>* engines) {
  engines->clear();
  for (const absl::string_view name : absl::StrSplit(value, ',')) {
    bool known = false;
    for (const EngineKind kind : {EngineKind::kNorn, EngineKind::kLevelDb, EngineKind::kRocksDb}) {
      if (name != EngineName(kind)) continue;
      engines->push_back(kind);
      known = true;
    }
    if (!known) return Wrong("--engines", value, "a list of norn,leveldb,rocksdb");
  }
  return absl::OkStatus();
}

absl::Status ParseCompression(absl::string_view value, BlockCompression* compression) {
  for (const BlockCompression known : {BlockCompression::kNone, BlockCompression::kLz4,
                                       BlockCompression::kZstd, BlockCompression::kLz4Zstd}) {
    if (value != CompressionName(known)) continue;
    *compression = known;
    return absl::OkStatus();
  }
  return Wrong("--compression", value, "none, lz4, zstd or lz4+zstd");
}

absl::Status ParseSizes(absl::string_view value, std::vector<size_t>* sizes) {
  constexpr uint32_t kMin = 32;
  constexpr uint32_t kMax = 500'000;
  sizes->clear();
  for (const absl::string_view word : absl::StrSplit(value, ',')) {
    uint32_t size = 0;
    if (!absl::SimpleAtoi(word, &size) || size < kMin || size > kMax) {
      return Wrong("--value-bytes", value, absl::StrCat("numbers from ", kMin, " to ", kMax));
    }
    sizes->push_back(size);
  }
  return absl::OkStatus();
}

absl::Status ParseOption(const std::string& option, const std::string& value, Flags* flags) {
  if (option == "--only") {
    flags->plan.only = value;
  } else if (option == "--engines") {
    return ParseEngines(value, &flags->plan.engines);
  } else if (option == "--entries") {
    if (!absl::SimpleAtoi(value, &flags->entries) || flags->entries < 1000 ||
        flags->entries > 1'000'000'000) {
      return Wrong(option, value, "a number from 1000 to 1000000000");
    }
  } else if (option == "--value-bytes") {
    return ParseSizes(value, &flags->value_bytes);
  } else if (option == "--compression") {
    return ParseCompression(value, &flags->plan.compression);
  } else if (option == "--memory") {
    return ParseChoice(option, value, "full", "tenth", &flags->plan.memory_for_a_tenth);
  } else if (option == "--norn-reads") {
    return ParseChoice(option, value, "inline", "lane", &flags->plan.read_on_lane);
  } else if (option == "--norn-sync") {
    return ParseChoice(option, value, "none", "always", &flags->plan.always_sync_log);
  } else if (option == "--norn-compaction-rate") {
    if (!absl::SimpleAtoi(value, &flags->plan.compaction_bytes_per_second)) {
      return Wrong(option, value, "a number of bytes");
    }
  } else if (option == "--rounds") {
    if (!absl::SimpleAtoi(value, &flags->plan.rounds) || flags->plan.rounds < 1) {
      return Wrong(option, value, "a number from 1");
    }
  } else if (option == "--patience") {
    if (!absl::SimpleAtod(value, &flags->plan.patience_seconds)) {
      return Wrong(option, value, "a number of seconds");
    }
  } else if (option == "--dir") {
    flags->dir = value;
  } else if (option == "--json") {
    flags->json = value;
  } else if (option == "--plot") {
    flags->plot = value;
  } else {
    return absl::InvalidArgumentError(absl::StrCat("no option ", option, "; see --help"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(int argc, char** argv) {
  Flags flags;
  flags.plan.engines = {EngineKind::kNorn, EngineKind::kLevelDb, EngineKind::kRocksDb};
  for (int i = 1; i < argc; ++i) {
    std::string option = argv[i];
    if (option == "--help" || option == "-h") {
      flags.help = true;
      continue;
    }
    if (option == "--quick") {
      flags.quick = true;
      continue;
    }
    // Both "--option value" and "--option=value".
    std::string value;
    const size_t equals = option.find('=');
    if (equals != std::string::npos) {
      value = option.substr(equals + 1);
      option.resize(equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat(option, ": no such option, or its value is missing; see --help"));
    }
    if (absl::Status status = ParseOption(option, value, &flags); !status.ok()) return status;
  }
  return flags;
}

}  // namespace norn::benchmarks
