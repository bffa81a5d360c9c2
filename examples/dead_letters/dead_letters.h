// Dead letters, and their second chance; see dead_letters.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace dead_letters {

// Takes charges; what it cannot read or process becomes a dead letter in "charges-dead".
muir::Result<muir::streams::Topology> charges();
// Mends dead letters and sends them back to where they came from, three times at most.
muir::Result<muir::streams::Topology> redrive();

}  // namespace dead_letters
