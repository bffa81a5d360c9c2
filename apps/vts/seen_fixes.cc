#include "apps/vts/seen_fixes.h"

#include <algorithm>
#include <vector>

#include "base/cursor.h"

namespace muir::vts {
namespace {

// The length before the id keeps vehicles apart whose ids begin alike.
Bytes key_prefix(const std::string& vehicle_id) {
  Bytes key;
  ByteWriter(key).be(static_cast<uint32_t>(vehicle_id.size()));
  return key + vehicle_id;
}

Bytes key_of(const std::string& vehicle_id, int64_t timestamp) {
  Bytes key = key_prefix(vehicle_id);
  ByteWriter(key).be(static_cast<uint64_t>(timestamp));  // never negative, so that bytes sort as numbers
  return key;
}

int64_t timestamp_of(BytesView key) {
  return static_cast<int64_t>(ByteReader(key.substr(key.size() - sizeof(uint64_t))).be<uint64_t>());
}

}  // namespace

Result<bool> SeenFixes::take(const RawPosition& position, VehicleTrack& track) {
  const int64_t timestamp = *position.timestamp;
  if (!track.seen) track.seen.emplace();
  SeenClock& clock = *track.seen;
  clock.received = std::max(clock.received, position.received_at);
  // Most fixes are newer than everything before them: nothing to look up.
  if (track.newest_seen && timestamp <= *track.newest_seen && MUIR_TRY(remembered(position, track))) return false;
  MUIR_RETURN_IF_ERROR(rows_.put(key_of(position.vehicle_id, timestamp), position.received_at));
  track.newest_seen = std::max(timestamp, track.newest_seen.value_or(timestamp));
  if (timestamp < clock.sweep_from) clock.skipped = std::min(timestamp, clock.skipped.value_or(timestamp));
  if (++clock.unswept >= kSweepEvery) MUIR_RETURN_IF_ERROR(sweep(position.vehicle_id, track, clock));
  return true;
}

// A row that is due to be swept is forgotten already: when it goes must not matter.
Result<bool> SeenFixes::remembered(const RawPosition& position, const VehicleTrack& track) const {
  const auto received = MUIR_TRY(rows_.get(key_of(position.vehicle_id, *position.timestamp)));
  if (!received) return false;
  // Without overflow: times of receipt come from the topic.
  const uint64_t since = static_cast<uint64_t>(position.received_at) - static_cast<uint64_t>(*received);
  if (position.received_at > *received && since > static_cast<uint64_t>(silent_.count())) return false;
  if (track.removed_at && *received <= *track.removed_at && position.received_at > *track.removed_at) return false;
  return !(passed(*position.timestamp, *track.newest_seen) && passed(*received, track.seen->received));
}

// Goes in steps from the oldest timestamps to those that are too young to be forgotten, and begins again with what it
// had to leave.
Status SeenFixes::sweep(const std::string& vehicle_id, const VehicleTrack& track, SeenClock& clock) {
  clock.unswept = 0;
  const int64_t end = std::max(*track.newest_seen - retention_.count(), int64_t{0});
  if (clock.sweep_from >= end) return {};
  std::vector<Bytes> forgotten;
  size_t rows = 0;
  bool more = false;
  MUIR_RETURN_IF_ERROR(rows_.range(key_of(vehicle_id, clock.sweep_from), key_of(vehicle_id, end - 1),
                                   [&](const Bytes& key, const int64_t& received) {
                                     const int64_t timestamp = timestamp_of(key);
                                     if (rows == kSweepRows) {
                                       clock.sweep_from = timestamp;
                                       more = true;
                                       return false;
                                     }
                                     ++rows;
                                     if (passed(received, clock.received)) {
                                       forgotten.push_back(key);
                                     } else {
                                       clock.skipped = std::min(timestamp, clock.skipped.value_or(timestamp));
                                     }
                                     return true;
                                   }));
  if (!more) {
    clock.sweep_from = clock.skipped.value_or(end);
    clock.skipped.reset();
  }
  for (const Bytes& key : forgotten) MUIR_RETURN_IF_ERROR(rows_.erase(key));
  return {};
}

Status SeenFixes::erase(const std::string& vehicle_id) {
  std::vector<Bytes> keys;
  {
    const auto rows = MUIR_TRY(rows_.bytes().prefix_scan(key_prefix(vehicle_id)));
    while (rows->next()) keys.emplace_back(rows->key());
    MUIR_RETURN_IF_ERROR(rows->status());
  }
  for (const Bytes& key : keys) MUIR_RETURN_IF_ERROR(rows_.erase(key));
  return {};
}

}  // namespace muir::vts
