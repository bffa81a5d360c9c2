#include "apps/vts/tracker.h"

#include <charconv>
#include <cmath>

namespace muir::vts {
namespace {

// The row's, if it is one: rows may come from other programs.
double speed_limit_of(const std::optional<VehicleMaster>& master, const Limits& limits) {
  const bool own = master && master->speed_limit && std::isfinite(*master->speed_limit) && *master->speed_limit > 0;
  return own ? *master->speed_limit : limits.default_speed_limit_kmh;
}

// When a row was deleted: see kRemovedAtHeader. Tombstones of other programs do not say; then it is now.
int64_t removed_at(streams::Headers headers, int64_t now_ms) {
  for (const streams::Header& header : headers) {
    if (header.name != kRemovedAtHeader || !header.value) continue;
    int64_t value = 0;
    const BytesView text = *header.value;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure == std::errc() && end == text.data() + text.size()) return std::clamp(value, int64_t{0}, now_ms);
  }
  return now_ms;
}

// Positions of one partition come about in the order of their receipt, as several gateways write them.
constexpr int64_t kReceiptSkewMs = 3'600'000;
constexpr size_t kSweptVehicles = 1000;  // at most in one sweep

SeenFixes seen_fixes(FixesStore rows, const TopologyOptions& options) {
  return {std::move(rows), options.duplicate_retention, options.silent_retention};
}

}  // namespace

Status Tracker::init(Context& context) {
  tracks_ = MUIR_TRY((context.key_value_store<std::string, VehicleTrack>(kTrackStore)));
  seen_ = seen_fixes(MUIR_TRY((context.key_value_store<Bytes, int64_t>(kFixesStore))), options_);
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
  context.schedule(options_.silent_sweep_interval, streams::PunctuationType::wall_clock_time,
                   [this](int64_t) { return sweep_silent(); });
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
  VehicleTrack track = MUIR_TRY(tracks_.get(decoded->vehicle_id)).value_or(VehicleTrack{});
  const VehicleTrack before = track;
  // No further than the clock: the time of receipt may be anything in records of other programs.
  received_ = std::max(received_, std::min(decoded->received_at, context().current_system_time_ms()));
  MUIR_RETURN_IF_ERROR(judge(record, *decoded, track));
  return save(decoded->vehicle_id, track, before);
}

Status Tracker::judge(const Record& record, const RawPosition& received, VehicleTrack& track) {
  if (const auto rejection = check_position(received, received.received_at, options_.limits))
    return reject(record, &received, track, *rejection);
  if (!MUIR_TRY(seen_.take(received, track))) {
    ++track.duplicates;
    return {};
  }
  RawPosition position = received;
  position.speed = reported(received.speed);
  position.heading = reported(received.heading);
  const double speed_limit = speed_limit_of(record.value->master, options_.limits);
  TrackStep step;
  if (track.removed_at && position.received_at <= *track.removed_at) {
    step.late = true;  // was on its way when its vehicle was deleted, and must not bring it back
  } else {
    step = advance(track, position, speed_limit, *zones_(), options_.limits);
  }
  if (step.rejection) return reject(record, &received, track, *step.rejection);
  return accept(record, position, track, std::move(step), speed_limit);
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
  out.speed = take_speed(track, position);
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

// A step through the vehicles.
Status Tracker::sweep_silent() {
  const std::string last(kIdBytesMax + 1, '\xff');  // behind all ids
  std::vector<std::pair<std::string, VehicleTrack>> silent;
  size_t looked_at = 0;
  std::string next;
  MUIR_RETURN_IF_ERROR(tracks_.range(sweep_from_, last, [&](const std::string& id, const VehicleTrack& track) {
    if (looked_at++ == kSweptVehicles) {
      next = id;
      return false;
    }
    if (seen_.is_silent(track, received_ - kReceiptSkewMs)) silent.emplace_back(id, track);
    return true;
  }));
  sweep_from_ = std::move(next);
  for (auto& [id, track] : silent) {
    MUIR_RETURN_IF_ERROR(seen_.erase(id));
    track.seen.reset();
    MUIR_RETURN_IF_ERROR(tracks_.put(id, track));
  }
  return {};
}

Status Remover::init(Context& context) {
  tracks_ = MUIR_TRY((context.key_value_store<std::string, VehicleTrack>(kTrackStore)));
  seen_ = seen_fixes(MUIR_TRY((context.key_value_store<Bytes, int64_t>(kFixesStore))), options_);
  return {};
}

Status Remover::process(const streams::Record<std::string, VehicleMaster>& record) {
  if (record.value != nullptr || record.key->empty()) return {};
  const int64_t when = removed_at(record.headers, context().current_system_time_ms());
  VehicleTrack track = MUIR_TRY(tracks_.get(*record.key)).value_or(VehicleTrack{});
  Outcome out{.removed = true};
  if (track.newest) {
    for (std::string& zone : track.newest->zones) out.zone_deltas.push_back({std::move(zone), -1});
  }
  remove(track, when);
  MUIR_RETURN_IF_ERROR(seen_.erase(*record.key));
  MUIR_RETURN_IF_ERROR(tracks_.put(*record.key, track));
  return context().forward({record.key, &out, when});
}

}  // namespace muir::vts
