// The program of the example: election run --seeds 1..200.

#include "sim/examples/leader_election.h"

int main(int argc, char** argv) {
  return norn::sim::ProtocolMain(argc, argv, norn::sim::LeaderElection());
}
