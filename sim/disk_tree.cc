#include "sim/disk_tree.h"

#include <cstddef>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn::sim {

Place SplitPath(const std::string& path) {
  CORE_CHECK(!path.empty());
  const bool absolute = path[0] == '/';
  Place place;
  for (size_t begin = 0; begin < path.size();) {
    size_t end = path.find('/', begin);
    if (end == std::string::npos) end = path.size();
    std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    CORE_CHECK(part != "..");
    if (!place.name.empty()) {
      const bool first = place.dir.empty();
      place.dir = first && !absolute ? place.name : absl::StrCat(place.dir, "/", place.name);
    }
    place.name = std::move(part);
  }
  if (place.dir.empty()) place.dir.push_back(absolute ? '/' : '.');
  return place;
}

std::string Place::Path() const {
  if (name.empty() || dir == ".") return name.empty() ? dir : name;
  return dir == "/" ? absl::StrCat("/", name) : absl::StrCat(dir, "/", name);
}

std::string NormalDirectory(const std::string& path) { return SplitPath(path).Path(); }

DiskTree::DiskTree() {
  directories_["/"].entry_durable = true;
  directories_["."].entry_durable = true;
}

bool DiskTree::HasDirectory(const std::string& dir) const { return directories_.count(dir) > 0; }

std::shared_ptr<DiskFile> DiskTree::Find(const Place& place) const {
  const auto directory = directories_.find(place.dir);
  if (directory == directories_.end()) return nullptr;
  const auto entry = directory->second.live.find(place.name);
  return entry == directory->second.live.end() ? nullptr : entry->second;
}

bool DiskTree::EntryDurable(const Place& place) const {
  const auto directory = directories_.find(place.dir);
  if (directory == directories_.end()) return false;
  const Entries& durable = directory->second.durable;
  const auto entry = durable.find(place.name);
  return entry != durable.end() && entry->second == Find(place);
}

const DiskTree::Entries& DiskTree::Files(const std::string& dir) const {
  const auto directory = directories_.find(dir);
  CORE_CHECK(directory != directories_.end());
  return directory->second.live;
}

std::vector<DiskFile*> DiskTree::DistinctFiles() const {
  std::vector<DiskFile*> result;
  std::set<uint64_t> seen;
  for (const auto& [dir, directory] : directories_) {
    for (const auto& [name, file] : directory.live) {
      if (seen.insert(file->id()).second) result.push_back(file.get());
    }
  }
  return result;
}

bool DiskTree::HasName(const DiskFile& file) const {
  for (const auto& [dir, directory] : directories_) {
    for (const auto& [name, other] : directory.live) {
      if (other->id() == file.id()) return true;
    }
  }
  return false;
}

std::vector<std::string> DiskTree::Directories() const {
  std::vector<std::string> result;
  for (const auto& [dir, directory] : directories_) result.push_back(dir);
  return result;
}

void DiskTree::Create(const Place& place, std::shared_ptr<DiskFile> file) {
  CORE_CHECK(HasDirectory(place.dir) && Find(place) == nullptr);
  directories_[place.dir].live[place.name] = file;
  pending_.push_back({Change::Kind::kCreate, place, {}, std::move(file), {}});
}

void DiskTree::Remove(const Place& place) {
  CORE_CHECK(Find(place) != nullptr);
  directories_[place.dir].live.erase(place.name);
  pending_.push_back({Change::Kind::kRemove, place, {}, nullptr, {}});
}

void DiskTree::Rename(const Place& from, const Place& to) {
  std::shared_ptr<DiskFile> file = Find(from);
  CORE_CHECK(file != nullptr && HasDirectory(to.dir));
  directories_[from.dir].live.erase(from.name);
  directories_[to.dir].live[to.name] = file;
  std::vector<Place> earlier;
  for (const Change& change : pending_) {
    if (change.kind != Change::Kind::kRename || change.file != file) continue;
    if (change.place.Path() != from.Path()) continue;
    earlier = change.earlier;
    earlier.push_back(change.from);
  }
  pending_.push_back({Change::Kind::kRename, to, from, std::move(file), std::move(earlier)});
}

void DiskTree::CreateDirectory(const Place& place) {
  CORE_CHECK(HasDirectory(place.dir) && !HasDirectory(place.Path()));
  directories_[place.Path()];
  pending_.push_back({Change::Kind::kCreateDirectory, place, {}, nullptr, {}});
}

void DiskTree::SyncDirectory(const std::string& dir) {
  // Backwards, so that a rename into `dir` draws in what happened before it in the
  // directory it came from: no journal replays the rename without that.
  std::set<std::string> dirs = {dir};
  std::vector<bool> chosen(pending_.size(), false);
  for (size_t i = pending_.size(); i-- > 0;) {
    const Change& change = pending_[i];
    const bool rename = change.kind == Change::Kind::kRename;
    if (dirs.count(change.place.dir) == 0 && !(rename && dirs.count(change.from.dir) > 0)) continue;
    chosen[i] = true;
    dirs.insert(change.place.dir);
    if (rename) dirs.insert(change.from.dir);
  }
  std::vector<Change> rest;
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (chosen[i]) {
      MakeDurable(pending_[i]);
    } else {
      rest.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(rest);
}

void DiskTree::MakeDurable(const Change& change) {
  // Changes that this one built upon may have been lost: a file that it would remove
  // need not be there, nor the directory (then it goes down with its parent).
  Entries& durable = directories_[change.place.dir].durable;
  switch (change.kind) {
    case Change::Kind::kCreate:
      durable[change.place.name] = change.file;
      return;
    case Change::Kind::kRemove:
      durable.erase(change.place.name);
      return;
    case Change::Kind::kRename: {
      EraseDurableName(change);
      durable[change.place.name] = change.file;
      return;
    }
    case Change::Kind::kCreateDirectory:
      directories_[change.place.Path()].entry_durable = true;
      return;
  }
}

void DiskTree::EraseDurableName(const Change& rename) {
  const auto erase = [&](const Place& place) {
    Entries& entries = directories_[place.dir].durable;
    const auto entry = entries.find(place.name);
    if (entry == entries.end() || entry->second != rename.file) return false;
    entries.erase(entry);
    return true;
  };
  if (erase(rename.from)) return;
  // An earlier rename of the file was lost: it is still under an older name, or under
  // none. Its other names are its own affair.
  for (auto place = rename.earlier.rbegin(); place != rename.earlier.rend(); ++place) {
    if (erase(*place)) return;
  }
}

void DiskTree::Crash(CrashLoss loss, Random* random, FaultCounters* counters) {
  if (loss == CrashLoss::kProcessOnly) return;
  // Of eight changes, how many survive.
  static constexpr uint64_t kKeptOfEight[] = {0, 1, 4, 7, 8};
  uint64_t kept_of_eight = loss == CrashLoss::kNothing ? 8 : 0;
  if (loss == CrashLoss::kRandomSubset && !pending_.empty()) {
    kept_of_eight = kKeptOfEight[random->Below(5)];
  }
  for (const Change& change : pending_) {
    if (random->Chance(kept_of_eight, 8)) {
      MakeDurable(change);
    } else {
      ++counters->crash_lost_entries;
    }
  }
  pending_.clear();
  // A parent sorts before what is in it, so one pass drops whole lost trees.
  for (auto it = directories_.begin(); it != directories_.end();) {
    const Place place = SplitPath(it->first);
    const bool root = place.name.empty();
    if (!it->second.entry_durable || (!root && !HasDirectory(place.dir))) {
      it = directories_.erase(it);
    } else {
      it->second.live = it->second.durable;
      ++it;
    }
  }
}

DiskTree DiskTree::Clone() const {
  // Keyed by id, not by address: the order of allocation must not show.
  std::map<uint64_t, std::shared_ptr<DiskFile>> copies;
  const auto copy = [&copies](std::shared_ptr<DiskFile>& file) {
    if (file == nullptr) return;
    std::shared_ptr<DiskFile>& twin = copies[file->id()];
    if (twin == nullptr) twin = std::make_shared<DiskFile>(*file);
    file = twin;
  };
  DiskTree clone = *this;
  for (auto& [dir, directory] : clone.directories_) {
    for (auto& [name, file] : directory.live) copy(file);
    for (auto& [name, file] : directory.durable) copy(file);
  }
  for (Change& change : clone.pending_) copy(change.file);
  return clone;
}

}  // namespace norn::sim
