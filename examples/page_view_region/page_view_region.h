// Page views per region; see page_view_region.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace page_view_region {

muir::Result<muir::streams::Topology> topology();

}  // namespace page_view_region
