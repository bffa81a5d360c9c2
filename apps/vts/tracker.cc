#include "apps/vts/tracker.h"

#include <cmath>

#include "apps/vts/dead_letters.h"
#include "apps/vts/ids.h"
#include "apps/vts/master_rows.h"
#include "base/log.h"

namespace muir::vts {
namespace {

// The row's, if it is one: a store's changelog may hold what other programs have written.
double speed_limit_of(const VehicleMaster& row, const Limits& limits) {
  const bool own = row.speed_limit && std::isfinite(*row.speed_limit) && *row.speed_limit > 0;
  return own ? *row.speed_limit : limits.default_speed_limit_kmh;
}

// Positions of one partition come about in the order of their receipt, as several gateways write them.
constexpr int64_t kReceiptSkewMs = 3'600'000;
constexpr size_t kSweptVehicles = 1000;  // at most in one sweep

constexpr size_t kTimestampTextMax = 128;

// Why it is none that could have been posted; empty when it could.
std::string fault_of(const std::string* key, const RawPosition& position) {
  if (const Status named = check_id("vehicleId", position.vehicle_id); !named.ok()) return named.message();
  if (key == nullptr) return "the record has no key, which is the vehicleId";
  if (*key != position.vehicle_id)
    return fmt::format("the record's key is not its vehicleId '{}'", position.vehicle_id);
  return {};
}

// Visits the tracks from that of `from` on, until `visit` says false. One that cannot be read is passed over: it
// begins anew with its vehicle's next position.
template <class F>
Status visit_tracks(const streams::KeyValueStore<std::string, VehicleTrack>& tracks, std::string_view from, F visit) {
  const auto rows = MUIR_TRY(tracks.bytes().range(BytesView(from), std::nullopt));
  while (rows->next()) {
    const std::string id(rows->key());
    const auto track = tracks.get(id);
    if (!track.ok() && !is_of_record(track.status())) return track.status();
    if (track.ok() && *track && !visit(id, **track)) return {};
  }
  return rows->status();
}

}  // namespace

Status Tracker::init(Context& context) {
  rows_ = MUIR_TRY((context.key_value_store<std::string, VehicleMaster>(kVehicleRowsStore)));
  tracks_ = MUIR_TRY((context.key_value_store<std::string, VehicleTrack>(kTrackStore)));
  seen_ = SeenFixes(MUIR_TRY((context.key_value_store<Bytes, int64_t>(kFixesStore))), options_.duplicate_retention,
                    options_.silent_retention);
  counts_ = {.partition = context.task_id().partition.value()};
  forwarded_.reset();
  MUIR_RETURN_IF_ERROR(visit_tracks(tracks_, "", [this](const std::string&, const VehicleTrack& track) {
    counts_.received += track.accepted + track.duplicates + track.dead_letters;
    counts_.accepted += track.accepted;
    counts_.late += track.late;
    counts_.duplicates += track.duplicates;
    counts_.dead_letters += track.dead_letters;
    counts_.alerts += track.alerts;
    return true;
  }));
  // Not with every record: the counts are in the tracks, and this is only their sum.
  context.schedule(options_.counts_interval, streams::PunctuationType::wall_clock_time,
                   [this](int64_t) { return forward_counts(); });
  context.schedule(options_.silent_sweep_interval, streams::PunctuationType::wall_clock_time,
                   [this](int64_t) { return sweep_silent(); });
  return {};
}

Status Tracker::process(const Record& record) {
  if (record.value == nullptr) return reject_record(record, "the record has no value");
  auto decoded = raw_.deserialize(kRawTopic, *record.value);
  if (!decoded.ok() && !is_of_record(decoded.status())) return decoded.status();
  if (!decoded.ok()) return reject_record(record, decoded.status().message());
  RawPosition& position = *decoded;
  if (std::string fault = fault_of(record.key, position); !fault.empty())
    return reject_record(record, std::move(fault));
  if (position.timestamp_text) position.timestamp_text = start_of(*position.timestamp_text, kTimestampTextMax);
  VehicleTrack track = MUIR_TRY(track_of(position.vehicle_id));
  const VehicleTrack before = track;
  const int64_t now_ms = context().current_system_time_ms();
  if (const auto rejection = check_receipt(position.received_at, now_ms)) {
    position.received_at = now_ms;  // what it says of it is in the message
    MUIR_RETURN_IF_ERROR(reject(record, position, track, *rejection));
  } else {
    received_ = std::max(received_, std::min(position.received_at, now_ms));
    MUIR_RETURN_IF_ERROR(judge(record, position, track));
  }
  return save(position.vehicle_id, track, before);
}

Status Tracker::judge(const Record& record, const RawPosition& received, VehicleTrack& track) {
  if (const auto rejection = check_position(received, received.received_at, options_.limits))
    return reject(record, received, track, *rejection);
  if (!MUIR_TRY(seen_.take(received, track))) {
    ++track.duplicates;
    return {};
  }
  RawPosition position = received;
  position.speed = reported(received.speed);
  position.heading = reported(received.heading);
  const VehicleMaster row = MUIR_TRY(row_of(position.vehicle_id));
  TrackStep step;
  if (track.removed_at && position.received_at <= *track.removed_at) {
    step.late = true;  // was on its way when its vehicle was deleted, and must not bring it back
  } else {
    step = advance(track, position, speed_limit_of(row, options_.limits), *zones_(), options_.limits);
  }
  if (step.rejection) return reject(record, received, track, *step.rejection);
  return accept(record, position, track, std::move(step), row);
}

int64_t Tracker::not_ahead(int64_t timestamp_ms) { return std::min(timestamp_ms, context().current_system_time_ms()); }

// Counted under no vehicle.
Status Tracker::reject_record(const Record& record, std::string why) {
  VehicleTrack track = MUIR_TRY(track_of(""));
  const VehicleTrack before = track;
  ++track.dead_letters;
  Outcome out;
  out.dead_letter =
      dead_letter(context().record_metadata(), context().current_system_time_ms(), {kUndecodable, std::move(why)},
                  record.value != nullptr ? OptBytesView(*record.value) : std::nullopt);
  const bool named = record.key != nullptr && check_id("", *record.key).ok();
  MUIR_RETURN_IF_ERROR(context().forward(
      {named ? record.key : nullptr, &out, not_ahead(record.timestamp_ms), headers_for_results(record.headers)}));
  return save("", track, before);
}

Status Tracker::reject(const Record& record, const RawPosition& position, VehicleTrack& track,
                       const Rejection& rejection) {
  ++track.dead_letters;
  Outcome out;
  out.dead_letter = dead_letter(context().record_metadata(), position.received_at, rejection, std::nullopt);
  DeadLetter& letter = *out.dead_letter;
  letter.vehicle_id = position.vehicle_id;
  letter.timestamp = position.timestamp;
  letter.timestamp_text = position.timestamp_text;
  letter.payload = to_json(position);
  return context().forward({record.key, &out, not_ahead(record.timestamp_ms), headers_for_results(record.headers)});
}

Status Tracker::accept(const Record& record, const RawPosition& position, VehicleTrack& track, TrackStep step,
                       const VehicleMaster& row) {
  ++track.accepted;
  if (step.late) ++track.late;
  track.alerts += static_cast<int64_t>(step.alerts.size());
  const double speed_limit = speed_limit_of(row, options_.limits);
  Outcome out;
  out.enriched = EnrichedPosition{.vehicle_id = position.vehicle_id,
                                  .lat = position.lat,
                                  .lon = position.lon,
                                  .speed = position.speed,
                                  .heading = position.heading,
                                  .timestamp = *position.timestamp,
                                  .received_at = position.received_at,
                                  .late = step.late,
                                  .line = row.line,
                                  .brigade = row.brigade,
                                  .name = row.name,
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
                             .line = row.line,
                             .brigade = row.brigade,
                             .name = row.name,
                             .speed_limit = speed_limit,
                             .overspeed = track.overspeed.has_value(),
                             .zones = track.newest->zones};
  }
  out.speed = take_speed(track, position);
  out.alerts = std::move(step.alerts);
  for (std::string& zone : step.entered) out.zone_deltas.push_back({std::move(zone), 1});
  for (std::string& zone : step.left) out.zone_deltas.push_back({std::move(zone), -1});
  return context().forward({record.key, &out, not_ahead(*position.timestamp), headers_for_results(record.headers)});
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

Result<VehicleTrack> Tracker::track_of(const std::string& id) const {
  const auto track = tracks_.get(id);
  if (track.ok()) return track->value_or(VehicleTrack{});
  if (!is_of_record(track.status())) return track.status();
  log::error("store {}: what is known of vehicle '{}' cannot be read, and begins anew: {}", kTrackStore, id,
             track.status().message());
  return VehicleTrack{};
}

Result<VehicleMaster> Tracker::row_of(const std::string& id) {
  const auto row = rows_.get(id);
  if (row.ok()) return row->value_or(VehicleMaster{});
  if (!is_of_record(row.status())) return row.status();
  log::error("store {}: the row of vehicle '{}' cannot be read, and is deleted: {}", kVehicleRowsStore, id,
             row.status().message());
  MUIR_RETURN_IF_ERROR(rows_.erase(id));
  return VehicleMaster{};
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
  std::vector<std::pair<std::string, VehicleTrack>> silent;
  size_t looked_at = 0;
  std::string next;
  MUIR_RETURN_IF_ERROR(visit_tracks(tracks_, sweep_from_, [&](const std::string& id, const VehicleTrack& track) {
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

}  // namespace muir::vts
