// The relay of a transactional outbox; see outbox.cc.
#pragma once

#include "base/status.h"
#include "streams/topology.h"

namespace outbox {

muir::Result<muir::streams::Topology> topology();

}  // namespace outbox
