#include "apps/vts/view.h"

#include <algorithm>

#include "base/log.h"

namespace muir::vts {
namespace {

// Puts a value among others in order of time; it nearly always belongs at the end.
template <class T, class Time>
void insert_bounded(std::deque<T>& into, T value, Time time, size_t max) {
  auto at = into.end();
  while (at != into.begin() && time(*std::prev(at)) > time(value)) --at;
  into.insert(at, std::move(value));
  if (into.size() > max) into.pop_front();
}

}  // namespace

Status View::configure(const SerdeContext& context) {
  MUIR_RETURN_IF_ERROR(state_topic_.serde.configure(context, false));
  MUIR_RETURN_IF_ERROR(occupancy_topic_.serde.configure(context, false));
  MUIR_RETURN_IF_ERROR(speed_topic_.serde.configure(context, false));
  MUIR_RETURN_IF_ERROR(alert_topic_.serde.configure(context, false));
  MUIR_RETURN_IF_ERROR(dead_letter_topic_.serde.configure(context, false));
  return counts_topic_.serde.configure(context, false);
}

template <class T>
std::optional<T> View::decode(const Topic<T>& topic, const client::ConsumedRecord& record) const {
  auto value = topic.serde.deserialize(topic.name, *record.value);
  if (value.ok()) return std::move(*value);
  log::warn("{} offset {}: {}", topic.name, record.offset, value.status().message());
  return std::nullopt;
}

void View::apply(const client::PartitionRecords& records) {
  const std::string& topic = records.partition.topic;
  const std::lock_guard lock(mutex_);
  for (const client::ConsumedRecord& record : records.records) {
    if (topic == kStateTopic) {
      apply_state(record);
    } else if (!record.value) {
      continue;
    } else if (topic == kOccupancyTopic) {
      apply_occupancy(record);
    } else if (topic == kSpeedTopic) {
      apply_speed(record);
    } else if (topic == kAlertsTopic) {
      apply_alert(record);
    } else if (topic == kDlqTopic) {
      apply_dead_letter(record);
    } else if (topic == kCountsTopic) {
      apply_counts(record);
    }
  }
}

void View::apply_state(const client::ConsumedRecord& record) {
  if (!record.value) {
    if (record.key) {
      vehicles_.erase(Bytes(*record.key));
      trails_.erase(Bytes(*record.key));
    }
    return;
  }
  auto state = decode(state_topic_, record);
  if (!state) return;
  insert_bounded(
      trails_[state->vehicle_id], TrailFix{state->lat, state->lon, state->speed, state->timestamp},
      [](const TrailFix& fix) { return fix.timestamp; }, kTrailMax);
  changed_vehicles_.insert(state->vehicle_id);
  vehicles_.insert_or_assign(state->vehicle_id, std::move(*state));
}

void View::apply_occupancy(const client::ConsumedRecord& record) {
  const auto value = decode(occupancy_topic_, record);
  if (!value) return;
  occupancy_[value->zone_id] = value->vehicles;
  changed_zones_.insert(value->zone_id);
}

void View::apply_speed(const client::ConsumedRecord& record) {
  const auto value = decode(speed_topic_, record);
  if (!value) return;
  auto& windows = speeds_[value->vehicle_id];
  windows[value->window_start] = *value;
  if (windows.size() > kWindowsMax) windows.erase(windows.begin());
}

void View::apply_alert(const client::ConsumedRecord& record) {
  auto value = decode(alert_topic_, record);
  if (!value) return;
  new_alerts_.push_back(*value);
  if (new_alerts_.size() > kAlertsMax) new_alerts_.erase(new_alerts_.begin());
  insert_bounded(
      alerts_, std::move(*value), [](const Alert& alert) { return alert.timestamp; }, kAlertsMax);
}

void View::apply_dead_letter(const client::ConsumedRecord& record) {
  auto value = decode(dead_letter_topic_, record);
  if (value)
    insert_bounded(
        dead_letters_, std::move(*value), [](const DeadLetter& letter) { return letter.received_at; }, kDeadLettersMax);
}

void View::apply_counts(const client::ConsumedRecord& record) {
  const auto value = decode(counts_topic_, record);
  if (value) counts_[value->partition] = *value;
}

void View::set_zones(std::shared_ptr<const ZoneIndex> zones) {
  const std::lock_guard lock(mutex_);
  zones_ = std::move(zones);
}

std::shared_ptr<const ZoneIndex> View::zones() const {
  const std::lock_guard lock(mutex_);
  return zones_;
}

std::vector<VehicleState> View::vehicles() const {
  const std::lock_guard lock(mutex_);
  std::vector<VehicleState> out;
  out.reserve(vehicles_.size());
  for (const auto& [id, state] : vehicles_) out.push_back(state);
  return out;
}

std::optional<VehicleState> View::vehicle(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto it = vehicles_.find(id);
  return it == vehicles_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<SpeedAverage> View::speeds(const std::string& vehicle_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<SpeedAverage> out;
  if (const auto it = speeds_.find(vehicle_id); it != speeds_.end()) {
    for (const auto& [start, average] : it->second) out.push_back(average);
  }
  return out;
}

std::vector<TrailFix> View::trail(const std::string& vehicle_id, size_t limit) const {
  const std::lock_guard lock(mutex_);
  const auto it = trails_.find(vehicle_id);
  if (it == trails_.end()) return {};
  const std::deque<TrailFix>& fixes = it->second;
  return {fixes.end() - static_cast<ptrdiff_t>(std::min(limit, fixes.size())), fixes.end()};
}

std::vector<ZoneOccupancy> View::occupancies() const {
  const std::lock_guard lock(mutex_);
  std::vector<ZoneOccupancy> out;
  for (const ZoneMaster& zone : zones_->zones()) {
    const auto it = occupancy_.find(zone.zone_id);
    out.push_back({zone.zone_id, it == occupancy_.end() ? 0 : it->second});
  }
  return out;
}

std::vector<std::string> View::vehicles_in(const std::string& zone_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [id, state] : vehicles_) {
    if (std::binary_search(state.zones.begin(), state.zones.end(), zone_id)) out.push_back(id);
  }
  return out;
}

std::vector<Alert> View::alerts(size_t limit) const {
  const std::lock_guard lock(mutex_);
  return {alerts_.rbegin(), alerts_.rbegin() + static_cast<ptrdiff_t>(std::min(limit, alerts_.size()))};
}

std::vector<DeadLetter> View::dead_letters(size_t limit) const {
  const std::lock_guard lock(mutex_);
  return {dead_letters_.rbegin(),
          dead_letters_.rbegin() + static_cast<ptrdiff_t>(std::min(limit, dead_letters_.size()))};
}

ViewTotals View::totals() const {
  const std::lock_guard lock(mutex_);
  ViewTotals out{.vehicles = static_cast<int64_t>(vehicles_.size())};
  for (const auto& [partition, counts] : counts_) {
    out.counts.received += counts.received;
    out.counts.accepted += counts.accepted;
    out.counts.late += counts.late;
    out.counts.duplicates += counts.duplicates;
    out.counts.dead_letters += counts.dead_letters;
    out.counts.alerts += counts.alerts;
  }
  return out;
}

ViewChanges View::take_changes() {
  const std::lock_guard lock(mutex_);
  ViewChanges out;
  for (const std::string& id : changed_vehicles_) {
    if (const auto it = vehicles_.find(id); it != vehicles_.end()) out.vehicles.push_back(it->second);
  }
  for (const std::string& id : changed_zones_) out.zones.push_back({id, occupancy_[id]});
  out.alerts = std::move(new_alerts_);
  changed_vehicles_.clear();
  changed_zones_.clear();
  new_alerts_.clear();
  return out;
}

}  // namespace muir::vts
