// norn-dump: shows what is in a node's files, and checks them.

#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "tools/dump/run.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const bool shows_progress = ::isatty(STDERR_FILENO) == 1;
  return norn::dump::Run(std::vector<std::string>(argv + 1, argv + argc), shows_progress, std::cout,
                         std::cerr);
}
