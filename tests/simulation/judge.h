// The judge: what a disturbed run may differ in from the undisturbed one.
#pragma once

#include <string>
#include <vector>

#include "simulation/world.h"

namespace muir::simulation {

// Every difference that must not be, in a line each; empty: the run was right.
std::vector<std::string> judge(const Setting& setting, const Outcome& wanted, const Outcome& got);

}  // namespace muir::simulation
