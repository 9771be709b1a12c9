#include "tools/dump/directory_use.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace norn::dump {
namespace {

// A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 123 08:01:4567 0 EOF".
struct HeldLock {
  std::string pid;
  std::string device;  // "major:minor", hexadecimal
  uint64_t inode = 0;
};

bool ParseHeldLock(absl::string_view line, HeldLock* lock) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.size() < 6 || words[1] != "FLOCK" || words[3] != "WRITE") return false;
  const size_t colon = words[5].rfind(':');
  if (colon == absl::string_view::npos) return false;
  lock->pid = std::string(words[4]);
  lock->device = std::string(words[5].substr(0, colon));
  return absl::SimpleAtoi(words[5].substr(colon + 1), &lock->inode);
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

DirectoryUse FindUse(const std::string& dir) {
  DirectoryUse use;
  const std::string path = absl::StrCat(dir, "/", kLockFileName);
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) use.in_use = false;
    return use;
  }
  std::ifstream locks("/proc/locks");
  if (!locks) return use;
  const std::string device = absl::StrCat(absl::Hex(major(info.st_dev), absl::kZeroPad2), ":",
                                          absl::Hex(minor(info.st_dev), absl::kZeroPad2));
  const std::string owner_pid = FirstLine(path);  // as the holder wrote it
  use.in_use = false;
  for (std::string line; std::getline(locks, line);) {
    HeldLock lock;
    if (!ParseHeldLock(line, &lock) || lock.inode != info.st_ino) continue;
    // Some file systems show another device number here than to stat.
    if (lock.device != device && lock.pid != owner_pid) continue;
    use.in_use = true;
    use.holder = absl::StrCat("process ", lock.pid);
    break;
  }
  return use;
}

}  // namespace norn::dump
