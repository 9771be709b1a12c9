#include "sim/store_subject.h"

#include <utility>

#include "sim/store_case.h"
#include "sim/universe.h"

namespace norn::sim {

namespace {

class StoreSubject final : public Subject {
 public:
  std::string program() const override { return "norn-sim"; }
  RunResult Run(const RunOptions& options, TraceView view) const override {
    return RunUniverse(options, std::move(view));
  }
  std::optional<CaseProblem> Make(const v1::Case& written,
                                  std::shared_ptr<const Case>* made) const override {
    return MakeStoreCase(written, made);
  }
};

}  // namespace

const Subject& NornStore() {
  static const StoreSubject store;
  return store;
}

}  // namespace norn::sim
