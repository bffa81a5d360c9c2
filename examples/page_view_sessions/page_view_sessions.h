// Visits of a site, as sessions of page views; see page_view_sessions.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace page_view_sessions {

muir::Result<muir::streams::Topology> topology();

}  // namespace page_view_sessions
