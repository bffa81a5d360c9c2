#include "apps/vts/master_rows.h"

#include <algorithm>
#include <charconv>

#include "apps/vts/ids.h"
#include "apps/vts/master_data.h"

namespace muir::vts {
namespace {

constexpr const char* kNoKey = "the record has no key, which is the id";

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

// However much of it there is, it is the row that is wrong, and not the machine that has no room.
Status of_row(const Status& checked) {
  return checked.ok() ? checked : error(Code::invalid_argument, "{}", checked.message());
}

}  // namespace

Result<VehicleMaster> read_vehicle_row(const SerdeRef<VehicleMaster>& serde, BytesView id, BytesView value) {
  MUIR_RETURN_IF_ERROR(check_id("the key", id));
  auto row = MUIR_TRY(serde.deserialize(kVehicleMasterTopic, value));
  MUIR_RETURN_IF_ERROR(of_row(check_vehicle(row)));
  return row;
}

Result<ZoneMaster> read_zone_row(const SerdeRef<ZoneMaster>& serde, BytesView id, BytesView value) {
  MUIR_RETURN_IF_ERROR(check_id("the key", id));
  auto row = MUIR_TRY(serde.deserialize(kZoneMasterTopic, value));
  if (row.zone_id != id)
    return error(Code::invalid_argument, "the record's key is not its zoneId '{}'", start_of(row.zone_id, kIdBytesMax));
  MUIR_RETURN_IF_ERROR(of_row(check_zone(row)));
  return row;
}

Status VehicleRows::init(Context& context) {
  rows_ = MUIR_TRY((context.key_value_store<std::string, VehicleMaster>(kVehicleRowsStore)));
  tracks_ = MUIR_TRY((context.key_value_store<std::string, VehicleTrack>(kTrackStore)));
  seen_ = SeenFixes(MUIR_TRY((context.key_value_store<Bytes, int64_t>(kFixesStore))), options_.duplicate_retention,
                    options_.silent_retention);
  return {};
}

Status VehicleRows::process(const Record& record) {
  if (record.key == nullptr || record.key->empty()) return reject(record, kNoKey);
  if (record.value == nullptr) return remove(record);
  const auto row = read_vehicle_row(serde_, *record.key, *record.value);
  if (row.ok()) return rows_.put(*record.key, *row);
  return is_of_record(row.status()) ? reject(record, row.status().message()) : row.status();
}

Status VehicleRows::remove(const Record& record) {
  auto read = tracks_.get(*record.key);
  if (!read.ok() && !is_of_record(read.status())) return read.status();
  const std::optional<VehicleTrack> known = read.ok() ? std::move(*read) : VehicleTrack{};  // one that cannot be read
  // No vehicle has such an id, unless it was given before ids were looked at.
  if (!known && !check_id("", *record.key).ok()) return {};
  MUIR_RETURN_IF_ERROR(rows_.erase(*record.key));
  const int64_t when = removed_at(record.headers, context().current_system_time_ms());
  VehicleTrack track = known.value_or(VehicleTrack{});
  Outcome out{.removed = true};
  if (track.newest) {
    for (std::string& zone : track.newest->zones) out.zone_deltas.push_back({std::move(zone), -1});
  }
  vts::remove(track, when);
  MUIR_RETURN_IF_ERROR(seen_.erase(*record.key));
  MUIR_RETURN_IF_ERROR(tracks_.put(*record.key, track));
  return context().forward({record.key, &out, when});
}

Status VehicleRows::reject(const Record& record, std::string why) {
  const int64_t now_ms = context().current_system_time_ms();
  Outcome out;
  out.dead_letter = dead_letter(context().record_metadata(), now_ms, {kUndecodable, std::move(why)},
                                record.value != nullptr ? OptBytesView(*record.value) : std::nullopt);
  const bool named = record.key != nullptr && check_id("", *record.key).ok();
  if (named) out.dead_letter->vehicle_id = *record.key;
  return context().forward({named ? record.key : nullptr, &out, now_ms, headers_for_results(record.headers)});
}

Status ZoneRows::process(const streams::Record<std::string, Bytes>& record) {
  const int64_t now_ms = context().current_system_time_ms();
  const bool named = record.key != nullptr && check_id("", *record.key).ok();
  ZoneRow out;
  std::string why;
  if (record.key == nullptr) {
    why = kNoKey;
  } else if (record.value == nullptr) {
    out.removed = true;
    return named ? context().forward({record.key, &out, now_ms}) : Status{};  // of whatever there was
  } else {
    const auto row = read_zone_row(serde_, *record.key, *record.value);
    if (row.ok()) {
      out.zone = *record.value;
      return context().forward({record.key, &out, now_ms});
    }
    if (!is_of_record(row.status())) return row.status();
    why = row.status().message();
  }
  out.dead_letter = dead_letter(context().record_metadata(), now_ms, {kUndecodable, std::move(why)},
                                record.value != nullptr ? OptBytesView(*record.value) : std::nullopt);
  return context().forward({named ? record.key : nullptr, &out, now_ms, headers_for_results(record.headers)});
}

}  // namespace muir::vts
