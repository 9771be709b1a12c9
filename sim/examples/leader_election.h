// A leader for each term, chosen by a majority, as in Raft (Ongaro, Ousterhout: In Search of an
// Understandable Consensus Algorithm, 2014), and nothing more than that.
//
// A node that hears no leader for a while begins a new term, votes for itself and asks the others.
// Each votes once in a term, for the first that asks. Whoever has a majority leads that term,
// for a second at most: then it is another's turn.
//
// It has a bug that real systems had: a node answers before its vote is durable. If it crashes
// then, it may vote in the same term again, and there are two leaders. `--set sync_votes=1` is the
// repaired version: the vote is answered once the disk has it.

#ifndef NORN_SIM_EXAMPLES_LEADER_ELECTION_H_
#define NORN_SIM_EXAMPLES_LEADER_ELECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "sim/protocol.h"

namespace norn::sim {

class LeaderElection final : public Protocol {
 public:
  std::string Name() const override { return "election"; }
  std::vector<ProtocolSetting> Settings() const override {
    return {{"sync_votes", 0, 0, 1, "whether a vote is durable before it is answered"}};
  }
  std::unique_ptr<Process> MakeProcess(Context& context) const override;
  // They ask who leads.
  int Clients() const override { return 2; }
  ProtocolRequest Draw(Random&, const std::string&) const override {
    return {"leader?", "", "", ""};
  }
  // That no term has two leaders; and that in the end everybody follows one.
  std::unique_ptr<Observer> MakeObserver() const override;
};

}  // namespace norn::sim

#endif  // NORN_SIM_EXAMPLES_LEADER_ELECTION_H_
