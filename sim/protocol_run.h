// One run of a protocol of your own, in virtual time, from one seed:
//
//   0 ─── quiet start ─── faults and clients ─── healing: clean network, all nodes up ───►
//
// What the observer sees is checked after each step, the clients' history at the end.

#ifndef NORN_SIM_PROTOCOL_RUN_H_
#define NORN_SIM_PROTOCOL_RUN_H_

#include <string>
#include <utility>

#include "sim/protocol.h"
#include "sim/subject.h"

namespace norn::sim {

RunResult RunProtocol(const Protocol& protocol, const RunOptions& options, TraceView view);

// The protocol as the campaign, cases, the shrinker and explain know it.
class ProtocolSubject final : public Subject {
 public:
  // `protocol` outlives this. `program` is what its users call it.
  ProtocolSubject(const Protocol& protocol, std::string program)
      : protocol_(protocol), program_(std::move(program)) {}

  std::string program() const override { return program_; }
  RunResult Run(const RunOptions& options, TraceView view) const override {
    return RunProtocol(protocol_, options, std::move(view));
  }
  std::optional<CaseProblem> Make(const v1::Case& written,
                                  std::shared_ptr<const Case>* made) const override;

 private:
  const Protocol& protocol_;
  const std::string program_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_PROTOCOL_RUN_H_
