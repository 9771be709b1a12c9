// The program of the example: abd run --seeds 1..200.

#include "sim/examples/abd_register.h"

int main(int argc, char** argv) {
  return norn::sim::ProtocolMain(argc, argv, norn::sim::AbdRegister());
}
