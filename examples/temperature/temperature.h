// The hottest of each minute, told once; see temperature.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace temperature {

muir::Result<muir::streams::Topology> topology();

}  // namespace temperature
