// Replaces a small file as a whole: after a crash it is the old one or the new one.
//
// Five steps of one file operation each: create a temporary file, write it, sync it,
// rename it, sync the directory.

#ifndef NORN_STORAGE_ATOMIC_REPLACE_H_
#define NORN_STORAGE_ATOMIC_REPLACE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "storage/file_system.h"

namespace norn::storage {

class AtomicReplace {
 public:
  // `temporary` must not exist; it lies in `dir`, as `path` does.
  AtomicReplace(FileSystem* file_system, std::string dir, std::string temporary, std::string path,
                std::string bytes)
      : file_system_(file_system),
        dir_(std::move(dir)),
        temporary_(std::move(temporary)),
        path_(std::move(path)),
        bytes_(std::move(bytes)) {}

  // True when finished.
  bool Step();
  // OK once all is durable. After an error the file is the old or the new one.
  const absl::Status& status() const { return status_; }

 private:
  absl::Status StepOnce();

  FileSystem* file_system_;
  std::string dir_;
  std::string temporary_;
  std::string path_;
  std::string bytes_;
  std::unique_ptr<WritableFile> file_;
  absl::Status status_;
  int step_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ATOMIC_REPLACE_H_
