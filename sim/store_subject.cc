#include "sim/store_subject.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/fault_options.h"
#include "sim/scenario.h"
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

std::string CommandOf(const RunOptions& run, uint64_t seed) {
  std::string command = absl::StrCat("norn-sim run --seed ", seed);
  if (run.scenario != nullptr) return absl::StrCat(command, " --scenario ", run.scenario->path);
  const RunOptions usual;
  if (run.nodes != usual.nodes) absl::StrAppend(&command, " --nodes ", run.nodes);
  if (run.n != usual.n) absl::StrAppend(&command, " --n ", run.n);
  if (run.r != usual.r) absl::StrAppend(&command, " --r ", run.r);
  if (run.w != usual.w) absl::StrAppend(&command, " --w ", run.w);
  if (run.random_config) absl::StrAppend(&command, " --random-config");
  if (run.wipes) absl::StrAppend(&command, " --wipes");
  if (run.sloppy) absl::StrAppend(&command, " --sloppy");
  absl::StrAppend(&command, FaultOptionsOf(run.faults), RareOptionOf(run.rare));
  return command;
}

}  // namespace norn::sim
