// The keys of Java's consumer that are the membership's and the tasks' here. Immutable; thread-safe.
#pragma once

#include "streams/streams_config.h"

namespace muir::streams::internal {

const ConfigDefOf<StreamsConfig>& consumer_config();

}  // namespace muir::streams::internal
