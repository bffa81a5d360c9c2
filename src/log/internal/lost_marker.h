// Markers of transactions that are damaged: whether a place held one, and what it was.
#pragma once

#include <optional>

#include "log/internal/segment_scan.h"
#include "wire/batch_builder.h"

namespace muir::storage {

// False when it is certain that no marker is among the damaged bytes at the beginning of `bytes`: their header fits its
// surroundings, and is that of one batch which is no marker.
bool may_hold_marker(BytesView bytes, const DamagedRange& range);

struct RestoredMarker {
  wire::BatchHeader header;
  wire::ControlRecord record;
};
// The marker that `bytes` were, when a single byte of them has changed: a marker is short, and its checksum then allows
// one value of that byte only. nullopt for anything else.
std::optional<RestoredMarker> restore_marker(BytesView bytes, const DamagedRange& range);

}  // namespace muir::storage
