#include "apps/vts/position_members.h"

#include <algorithm>
#include <cmath>

#include "apps/vts/dead_letters.h"
#include "apps/vts/timestamps.h"

namespace muir::vts {
namespace {

constexpr size_t kTimestampTextMax = 128;

}  // namespace

MemberValue* PositionMembers::place_of(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name != kNames[i]) continue;
    if (values_[i].kind != MemberValue::Kind::absent) twice_ = kNames[i];
    return &values_[i];
  }
  return nullptr;
}

ParsedItem PositionMembers::read(int64_t received_at, const PositionLimits& limits) const {
  ParsedItem item;
  item.position.received_at = received_at;
  if (!twice_.empty()) {
    item.error = fmt::format("{} is given twice", twice_);
    return item;
  }
  std::optional<double> latitude;
  std::optional<double> longitude;
  read_vehicle_id(item, limits);
  read_number(lat, true, latitude, item.error);
  read_number(lon, true, longitude, item.error);
  read_number(speed, false, item.position.speed, item.error);
  read_number(heading, false, item.position.heading, item.error);
  if (!item.error.empty()) return item;
  item.position.lat = *latitude;
  item.position.lon = *longitude;
  read_timestamp(item.position);
  return item;
}

void PositionMembers::read_vehicle_id(ParsedItem& item, const PositionLimits& limits) const {
  const MemberValue& value = values_[vehicle_id];
  if (value.none()) {
    item.error = "vehicleId is missing";
  } else if (value.beyond_64_bits) {
    item.error = "vehicleId is a number beyond 64 bits: write it as a string";
  } else if (value.kind == MemberValue::Kind::text || value.kind == MemberValue::Kind::whole) {
    item.position.vehicle_id = value.kind == MemberValue::Kind::text ? value.text : value.written;
    const Status named = check_id("vehicleId", item.position.vehicle_id, limits.vehicle_id_bytes_max);
    if (!named.ok()) item.error = named.message();
  } else {
    item.error = "vehicleId is neither a string nor a whole number";
  }
}

void PositionMembers::read_number(Member member, bool required, std::optional<double>& out, std::string& error) const {
  const MemberValue& value = values_[member];
  if (!error.empty() || (!required && value.none())) return;
  if (value.kind == MemberValue::Kind::absent) {
    error = fmt::format("{} is missing", kNames[member]);
  } else if (!value.is_number()) {
    error = fmt::format("{} is no number", kNames[member]);
  } else if (!std::isfinite(value.number)) {
    error = fmt::format("{} is a number that is too large", kNames[member]);
  } else {
    out = value.number;
  }
}

// A time that cannot be read is no fault of structure: the position is recorded, and rejected by its rule.
void PositionMembers::read_timestamp(RawPosition& position) const {
  const MemberValue& value = values_[timestamp];
  if (value.kind == MemberValue::Kind::text) {
    position.timestamp = parse_timestamp(value.text);
  } else if (value.int64) {
    position.timestamp = epoch_ms(*value.int64);
  } else if (value.kind == MemberValue::Kind::fraction) {
    position.timestamp = epoch_ms(value.number);
  }
  if (position.timestamp) return;
  const std::string_view text = value.kind == MemberValue::Kind::text ? value.text : value.written;
  position.timestamp_text = std::string(value.none() ? std::string_view() : start_of(text, kTimestampTextMax));
}

}  // namespace muir::vts
