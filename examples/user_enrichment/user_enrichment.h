// Actions enriched with their users, and with how often each has appeared; see user_enrichment.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace user_enrichment {

muir::Result<muir::streams::Topology> topology();

}  // namespace user_enrichment
