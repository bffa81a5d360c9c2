// The topics of the vehicle tracking system, made when they are missing.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "client/admin.h"

namespace muir::vts {

// Creates what is missing with `partitions`; topics that grow keep `retention_bytes` per partition (-1: all). Fails
// when vehicle.location.raw and vehicle.master, which are joined, have different numbers of partitions.
Status ensure_topics(client::Admin& admin, int32_t partitions, int64_t retention_bytes);

}  // namespace muir::vts
