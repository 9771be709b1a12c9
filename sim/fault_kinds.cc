#include "sim/fault_kinds.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/check.h"

namespace norn::sim {

namespace {

constexpr FaultClass kNet = FaultClass::kNetwork;
constexpr FaultClass kCrashes = FaultClass::kCrash;
constexpr FaultClass kDisks = FaultClass::kDisk;
constexpr FaultClass kClocks = FaultClass::kClock;

constexpr FaultKindInfo kInfos[] = {
    {"crash", kCrashes, "crash", "a node dies in the midst of a file operation, and restarts",
     "crashes"},
    {"halves", kNet, "partition in two halves", "some nodes and the others cannot talk",
     "messages lost"},
    {"isolate", kNet, "isolated node", "one node cannot talk to anyone", "messages lost"},
    {"one-way", kNet, "one-way partition", "what some nodes send to the others is lost",
     "messages lost"},
    {"slow", kNet, "slow network", "all messages take longer", "messages delayed"},
    {"loss", kNet, "message loss", "some messages are lost", "messages lost"},
    {"duplicate", kNet, "message duplication", "some messages arrive twice", "copies sent"},
    {"reorder", kNet, "message reordering", "messages overtake each other", "messages overtaken"},
    {"slow-disk", kDisks, "slow disk", "file operations of some nodes take longer",
     "operations delayed"},
    {"power-cut", kCrashes, "power cut",
     "several nodes lose power at once, when a write is acknowledged", "crashes"},
    {"read-error", kDisks, "read errors of a disk", "reads of one disk fail for a while",
     "reads failed"},
    {"bad-block", kDisks, "bad blocks of tables", "places in one node's tables cannot be read",
     "reads failed"},
    {"pause", FaultClass::kProcess, "paused nodes", "some nodes stand still, and go on later",
     "events held"},
    {"clock-jump", kClocks, "wrong wall clocks", "some wall clocks are wrong by a constant",
     "readings"},
    {"clock-drift", kClocks, "drifting wall clocks", "some wall clocks run too fast or too slow",
     "readings"},
    {"stalled-disk", kDisks, "stalled disk", "disks of some nodes do nothing for a while",
     "operations held"},
    {"full-disk", kDisks, "full disk", "one disk has hardly any room left", "operations refused"},
    {"wiped-disk", kDisks, "wiped disk",
     "one node dies and comes back with an empty disk (--wipes)", "disks wiped"},
    {"older-disk", kDisks, "older copy of a disk",
     "one node dies and comes back with an older copy of its disk (--wipes)", "disks restored"},
    {"bit-rot", kDisks, "rotten blocks of tables", "bits of one node's tables flip (--wipes)",
     "bad blocks met"},
    {"bridge", kNet, "bridge partition", "two halves cannot talk, but for one node that both reach",
     "messages lost"},
    {"ring", kNet, "majorities ring",
     "each node reaches only its neighbours in a ring, so that each sees another majority",
     "messages lost"},
    {"flapping", kNet, "flapping partition",
     "a cut between some nodes and the others comes and goes", "messages lost"},
    {"reset", kNet, "connection resets",
     "connections break again and again: what travels is lost, order begins anew", "messages lost"},
    {"slow-links", kNet, "slow links", "messages between some nodes and the others take longer",
     "messages delayed"},
    {"zone-outage", kCrashes, "outage of a zone",
     "all nodes of one zone die at once, and come back together", "crashes"},
    {"torn-write", kCrashes, "torn write",
     "a node dies in the midst of an append: only its first sectors are written", "torn appends"},
    {"write-error", kDisks, "write errors of a disk",
     "appends, creates, renames or syncs of directories fail", "operations failed"},
    {"failed-sync", kDisks, "failed syncs of a disk",
     "syncs fail, and what they should have saved may be lost for ever", "syncs failed"},
    {"misdirected-read", kDisks, "misdirected reads of tables",
     "reads of one node's tables return bytes of another place", "reads misdirected"},
    {"misdirected-write", kDisks, "misdirected writes to tables",
     "blocks of one node's tables are written over others (--wipes)", "bad blocks met"},
    {"log-rot", kDisks, "rotten logs",
     "bits of one node's logs and slots flip while it is down (--wipes)", "damaged starts"},
};
static_assert(sizeof(kInfos) / sizeof(kInfos[0]) == kFaultKindCount);

constexpr const char* kClassNames[kFaultClassCount] = {"network", "crashes", "disks", "clocks",
                                                       "processes"};

FaultKind KindAt(int index) { return static_cast<FaultKind>(index); }

// Adds what is called so; false: nothing is.
bool AddByName(absl::string_view name, FaultSet* set) {
  bool known = false;
  for (int i = 0; i < kFaultKindCount; ++i) {
    const FaultKindInfo& info = kInfos[i];
    if (name != info.name && name != FaultClassName(info.of)) continue;
    set->Add(KindAt(i));
    known = true;
  }
  return known;
}

}  // namespace

const FaultKindInfo& InfoOf(FaultKind kind) {
  const auto index = static_cast<size_t>(kind);
  CORE_CHECK(index < kFaultKindCount);
  return kInfos[index];
}

const char* FaultClassName(FaultClass of) { return kClassNames[static_cast<size_t>(of)]; }

bool TakesDown(FaultKind kind) { return InfoOf(kind).of == FaultClass::kCrash || Destroys(kind); }

bool Destroys(FaultKind kind) {
  return kind == FaultKind::kWipedDisk || kind == FaultKind::kOlderDisk ||
         kind == FaultKind::kLogRot;
}

bool OfDisk(FaultKind kind) {
  switch (kind) {
    case FaultKind::kReadError:
    case FaultKind::kBadBlock:
    case FaultKind::kFullDisk:
    case FaultKind::kWriteError:
    case FaultKind::kFailedSync:
    case FaultKind::kMisdirectedRead:
      return true;
    default:
      return Rots(kind);
  }
}

bool Rots(FaultKind kind) {
  return kind == FaultKind::kBitRot || kind == FaultKind::kMisdirectedWrite;
}

bool OfNetwork(FaultKind kind) { return InfoOf(kind).of == FaultClass::kNetwork; }

bool OneNodeOnly(FaultKind kind) {
  return OfDisk(kind) || Destroys(kind) || kind == FaultKind::kCrash ||
         kind == FaultKind::kTornWrite;
}

bool NeedsNodes(FaultKind kind) {
  switch (kind) {
    case FaultKind::kHalves:
    case FaultKind::kIsolate:
    case FaultKind::kOneWay:
    case FaultKind::kFlapping:
    case FaultKind::kSlowLinks:
    case FaultKind::kPowerCut:
    case FaultKind::kBridge:
    case FaultKind::kRing:
    case FaultKind::kZoneOutage:
      return true;
    default:
      return OneNodeOnly(kind);
  }
}

int LeastNodes(FaultKind kind) {
  switch (kind) {
    case FaultKind::kRing:
      return 4;
    case FaultKind::kBridge:
      return 3;
    default:
      return OfNetwork(kind) ? 2 : 1;
  }
}

uint64_t LeastAmount(FaultKind kind) {
  switch (kind) {
    case FaultKind::kCrash:
    case FaultKind::kPowerCut:
    case FaultKind::kRing:
    case FaultKind::kSlowLinks:
    case FaultKind::kTornWrite:
    case FaultKind::kWriteError:
    case FaultKind::kFailedSync:
    case FaultKind::kMisdirectedRead:
    case FaultKind::kMisdirectedWrite:
    case FaultKind::kLogRot:
      return 1;
    case FaultKind::kFlapping:
    case FaultKind::kReset:
      return 1'000;
    default:
      return 0;
  }
}

bool AmountIsOne(FaultKind kind) {
  switch (kind) {
    case FaultKind::kBadBlock:
    case FaultKind::kTornWrite:
    case FaultKind::kWriteError:
    case FaultKind::kFailedSync:
    case FaultKind::kMisdirectedRead:
    case FaultKind::kLogRot:
      return true;
    default:
      return Rots(kind);
  }
}

std::string ToString(FaultSet set) {
  std::string text;
  for (int i = 0; i < kFaultKindCount; ++i) {
    if (!set.Has(KindAt(i))) continue;
    absl::StrAppend(&text, text.empty() ? "" : ",", kInfos[i].name);
  }
  return text;
}

bool ParseFaultSet(absl::string_view list, FaultSet* set, std::string* wrong) {
  *set = FaultSet();
  for (absl::string_view name : absl::StrSplit(list, ',')) {
    name = absl::StripAsciiWhitespace(name);
    if (AddByName(name, set)) continue;
    *wrong = absl::StrCat("\"", name, "\" is no kind and no class of faults; there are ",
                          ToString(FaultSet::All()), ", and the classes ");
    for (int i = 0; i < kFaultClassCount; ++i) {
      absl::StrAppend(wrong, i == 0 ? "" : ",", kClassNames[i]);
    }
    return false;
  }
  return true;
}

}  // namespace norn::sim
