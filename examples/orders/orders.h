// Order processing; see orders.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace orders {

muir::Result<muir::streams::Topology> topology();

}  // namespace orders
