// Which views of advertisements were clicked; see clicked_ads.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace clicked_ads {

muir::Result<muir::streams::Topology> topology();

}  // namespace clicked_ads
