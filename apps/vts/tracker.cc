#include "apps/vts/tracker.h"

namespace muir::vts {

Status Tracker::init(Context& context) {
  tracks_ = MUIR_TRY((context.key_value_store<std::string, VehicleTrack>(kTrackStore)));
  seen_ = MUIR_TRY((context.window_store<std::string, bool>(kSeenStore)));
  counts_ = {.partition = context.task_id().partition.value()};
  forwarded_.reset();
  MUIR_RETURN_IF_ERROR(tracks_.for_each([this](const std::string&, const VehicleTrack& track) {
    counts_.received += track.accepted + track.duplicates + track.dead_letters;
    counts_.accepted += track.accepted;
    counts_.late += track.late;
    counts_.duplicates += track.duplicates;
    counts_.dead_letters += track.dead_letters;
    counts_.alerts += track.alerts;
  }));
  // Not with every record: the counts are in the tracks, and this is only their sum.
  context.schedule(options_.counts_interval, streams::PunctuationType::wall_clock_time,
                   [this](int64_t) { return forward_counts(); });
  return {};
}

Status Tracker::process(const Record& record) {
  auto decoded = raw_.deserialize(kRawTopic, record.value->raw);
  if (!decoded.ok() || decoded->vehicle_id.empty()) {
    VehicleTrack track = MUIR_TRY(tracks_.get("")).value_or(VehicleTrack{});
    const VehicleTrack before = track;
    const std::string why = decoded.ok() ? "vehicleId is empty" : decoded.status().message();
    MUIR_RETURN_IF_ERROR(reject(record, nullptr, track, {kUndecodable, why}));
    return save("", track, before);
  }
  const RawPosition& position = *decoded;
  VehicleTrack track = MUIR_TRY(tracks_.get(position.vehicle_id)).value_or(VehicleTrack{});
  const VehicleTrack before = track;
  if (const auto rejection = check_position(position, position.received_at, options_.limits)) {
    MUIR_RETURN_IF_ERROR(reject(record, &position, track, *rejection));
    return save(position.vehicle_id, track, before);
  }
  const bool first = MUIR_TRY(first_of_its_time(position, track));
  if (!first) {
    ++track.duplicates;
    return save(position.vehicle_id, track, before);
  }
  const auto& master = record.value->master;
  const double speed_limit =
      master && master->speed_limit ? *master->speed_limit : options_.limits.default_speed_limit_kmh;
  TrackStep step = advance(track, position, speed_limit, *zones_(), options_.limits);
  if (step.rejection) {
    MUIR_RETURN_IF_ERROR(reject(record, &position, track, *step.rejection));
  } else {
    MUIR_RETURN_IF_ERROR(accept(record, position, track, std::move(step), speed_limit));
  }
  return save(position.vehicle_id, track, before);
}

Result<bool> Tracker::first_of_its_time(const RawPosition& position, VehicleTrack& track) {
  const int64_t timestamp = *position.timestamp;
  // Most fixes are newer than everything before them: nothing to look up.
  if (track.newest_seen && timestamp <= *track.newest_seen) {
    const auto seen = MUIR_TRY(seen_.fetch(position.vehicle_id, timestamp));
    if (seen) return false;
  }
  MUIR_RETURN_IF_ERROR(seen_.put(position.vehicle_id, true, timestamp, timestamp));
  track.newest_seen = std::max(timestamp, track.newest_seen.value_or(timestamp));
  return true;
}

Status Tracker::reject(const Record& record, const RawPosition* position, VehicleTrack& track,
                       const Rejection& rejection) {
  ++track.dead_letters;
  Outcome out;
  DeadLetter& letter = out.dead_letter.emplace();
  letter.rule = rejection.rule;
  letter.message = rejection.message;
  if (const auto from = context().record_metadata()) {
    letter.topic = from->topic;
    letter.partition = from->partition.value();
    letter.offset = from->offset.value();
  }
  letter.received_at = context().current_system_time_ms();
  if (position != nullptr) {
    letter.vehicle_id = position->vehicle_id;
    letter.timestamp = position->timestamp;
    letter.timestamp_text = position->timestamp_text;
    letter.received_at = position->received_at;
    letter.payload = to_json(*position);
  } else {
    letter.payload = hex(BytesView(record.value->raw).substr(0, 4096));
  }
  return context().forward(record.with_value(out));
}

Status Tracker::accept(const Record& record, const RawPosition& position, VehicleTrack& track, TrackStep step,
                       double speed_limit) {
  ++track.accepted;
  if (step.late) ++track.late;
  track.alerts += static_cast<int64_t>(step.alerts.size());
  const VehicleMaster master = record.value->master.value_or(VehicleMaster{});
  Outcome out;
  out.enriched = EnrichedPosition{.vehicle_id = position.vehicle_id,
                                  .lat = position.lat,
                                  .lon = position.lon,
                                  .speed = position.speed,
                                  .heading = position.heading,
                                  .timestamp = *position.timestamp,
                                  .received_at = position.received_at,
                                  .late = step.late,
                                  .line = master.line,
                                  .brigade = master.brigade,
                                  .name = master.name,
                                  .speed_limit = speed_limit};
  if (!step.late) {
    out.enriched->zones = track.newest->zones;
    out.state = VehicleState{.vehicle_id = position.vehicle_id,
                             .lat = position.lat,
                             .lon = position.lon,
                             .speed = position.speed,
                             .heading = position.heading,
                             .timestamp = *position.timestamp,
                             .received_at = position.received_at,
                             .line = master.line,
                             .brigade = master.brigade,
                             .name = master.name,
                             .speed_limit = speed_limit,
                             .overspeed = track.overspeed.has_value(),
                             .zones = track.newest->zones};
  }
  out.alerts = std::move(step.alerts);
  for (std::string& zone : step.entered) out.zone_deltas.push_back({std::move(zone), 1});
  for (std::string& zone : step.left) out.zone_deltas.push_back({std::move(zone), -1});
  return context().forward(record.with_value(out).with_timestamp(*position.timestamp));
}

Status Tracker::save(const std::string& id, const VehicleTrack& track, const VehicleTrack& before) {
  counts_.received += 1;
  counts_.accepted += track.accepted - before.accepted;
  counts_.late += track.late - before.late;
  counts_.duplicates += track.duplicates - before.duplicates;
  counts_.dead_letters += track.dead_letters - before.dead_letters;
  counts_.alerts += track.alerts - before.alerts;
  return tracks_.put(id, track);
}

Status Tracker::forward_counts() {
  if (forwarded_ == counts_) return {};
  Outcome out;
  out.counts = counts_;
  const std::string key = std::to_string(counts_.partition);
  MUIR_RETURN_IF_ERROR(context().forward({&key, &out, context().current_system_time_ms()}));
  forwarded_ = counts_;
  return {};
}

}  // namespace muir::vts
