// A register that every node can read and write, linearizable without any leader: ABD (Attiya,
// Bar-Noy, Dolev: Sharing Memory Robustly in Message-Passing Systems, 1995), with many writers
// (Lynch, Shvartsman, 1997), on disks that lose what was not synced.
//
// Each node stores, for each key, a value and its tag. A write asks a majority for their tags and
// stores its value under a greater one on a majority. A read asks a majority, and stores the
// greatest that it saw on a majority before it answers: else a later read could miss it.
//
// The settings leave out what the proof needs, one step each, to see that the simulator notices.

#ifndef NORN_SIM_EXAMPLES_ABD_REGISTER_H_
#define NORN_SIM_EXAMPLES_ABD_REGISTER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/protocol.h"

namespace norn::sim {

class AbdRegister final : public Protocol {
 public:
  std::string Name() const override { return "abd"; }
  std::vector<ProtocolSetting> Settings() const override {
    return {{"write_back", 1, 0, 1, "whether a read stores what it read before it answers"},
            {"sync", 1, 0, 1, "whether a node answers only when its disk has it"}};
  }
  std::unique_ptr<Process> MakeProcess(Context& context) const override;
  std::optional<consistency::Model> HistoryModel() const override {
    return consistency::Model::kRegister;
  }
};

}  // namespace norn::sim

#endif  // NORN_SIM_EXAMPLES_ABD_REGISTER_H_
