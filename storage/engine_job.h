// What the engine knows of its own jobs.

#ifndef NORN_STORAGE_ENGINE_JOB_H_
#define NORN_STORAGE_ENGINE_JOB_H_

#include "storage/job.h"

namespace norn::storage {

class EngineJob : public Job {
 public:
  enum class Kind {
    kGroup,
    kSync,
    kManifest,
    kSlot,
    kReadBlock,
    kFlush,
    kCompaction,
    kPurge,
    kReserve,
    kScrub,
    kRecheck,
    kCheckpoint,
  };

  Kind kind() const { return kind_; }

 protected:
  EngineJob(Kind kind, Lane lane) : Job(lane), kind_(kind) {}

 private:
  Kind kind_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ENGINE_JOB_H_
