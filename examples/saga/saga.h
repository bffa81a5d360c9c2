// A saga: steps in several services, undone when one fails or does not answer; see saga.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace saga {

muir::Result<muir::streams::Topology> topology();

}  // namespace saga
