// --faults LIST, --no-faults LIST and --rare-branches WHICH, and the table that `norn-sim faults`
// prints.

#ifndef NORN_SIM_FAULT_OPTIONS_H_
#define NORN_SIM_FAULT_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/fault_kinds.h"
#include "sim/rare_draw.h"

namespace norn::sim {

// True if words[*at] is one of the two options: then `*at` is moved to its value, and `*choice`
// or `*wrong` says what came of it.
bool TakeFaultOption(const std::vector<std::string>& words, size_t* at, FaultChoice* choice,
                     std::optional<std::string>* wrong);

// As it is written on the command line, with a space in front; empty: nothing is chosen.
std::string FaultOptionsOf(const FaultChoice& choice);

// The same for --rare-branches.
bool TakeRareOption(const std::vector<std::string>& words, size_t* at, RareChoice* choice,
                    std::optional<std::string>* wrong);
std::string RareOptionOf(RareChoice choice);

// One line for each kind: name, class, what it does, what counts as an effect.
std::string FaultTable();

}  // namespace norn::sim

#endif  // NORN_SIM_FAULT_OPTIONS_H_
