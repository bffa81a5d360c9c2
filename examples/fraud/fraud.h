// Fraud detection with the Processor API; see fraud.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace fraud {

muir::Result<muir::streams::Topology> topology();

}  // namespace fraud
