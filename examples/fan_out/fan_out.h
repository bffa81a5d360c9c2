// One message to each of its subscribers, by the way that each wants it; see fan_out.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace fan_out {

muir::Result<muir::streams::Topology> topology();

}  // namespace fan_out
