#include "apps/vts/view.h"

#include <algorithm>

#include "apps/vts/view_json.h"
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
std::optional<T> View::decode(const Topic<T>& topic, const client::ConsumedRecord& record) {
  auto value = patience_.read([&] { return topic.serde.deserialize(topic.name, *record.value); });
  if (value.ok()) return std::move(*value);
  log::warn("{} offset {}: {}", topic.name, record.offset, value.status().message());
  return std::nullopt;
}

void View::apply(const client::PartitionRecords& records) {
  const std::string& topic = records.partition.topic;
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
    if (record.key) remove_vehicle(*record.key);
    return;
  }
  auto decoded = decode(state_topic_, record);
  if (!decoded) return;
  auto shown = std::make_shared<ShownVehicle>(ShownVehicle{.state = std::move(*decoded)});
  append_json(shown->json, shown->state);
  const VehicleState& state = shown->state;
  const std::lock_guard lock(mutex_);
  next_version();
  insert_bounded(
      trails_[state.vehicle_id], TrailFix{state.lat, state.lon, state.speed, state.timestamp},
      [](const TrailFix& fix) { return fix.timestamp; }, kTrailMax);
  changed_vehicles_.insert(state.vehicle_id);
  vehicles_.insert_or_assign(state.vehicle_id, std::move(shown));
}

void View::remove_vehicle(BytesView id) {
  std::vector<std::function<void()>> done;
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = removal_waits_.equal_range(id);
    for (auto it = first; it != last; ++it) done.push_back(std::move(it->second.done));
    removal_waits_.erase(first, last);
    if (const auto it = vehicles_.find(id); it != vehicles_.end()) {
      removed_vehicles_.insert(it->first);
      changed_vehicles_.erase(it->first);
      vehicles_.erase(it);
    }
    if (const auto it = trails_.find(id); it != trails_.end()) trails_.erase(it);
    if (const auto it = speeds_.find(id); it != speeds_.end()) speeds_.erase(it);
    next_version();
  }
  for (const auto& call : done) call();
}

// Rejections stay: they were seen.
void View::forget(std::string_view topic) {
  std::multimap<std::string, RemovalWait, std::less<>> over;
  {
    const std::lock_guard lock(mutex_);
    if (topic == kStateTopic) {
      for (const auto& [id, vehicle] : vehicles_) removed_vehicles_.insert(id);
      changed_vehicles_.clear();
      vehicles_.clear();
      trails_.clear();
      over.swap(removal_waits_);
    } else if (topic == kOccupancyTopic) {
      for (const auto& [id, vehicles] : occupancy_) changed_zones_.insert(id);
      occupancy_.clear();
    } else if (topic == kSpeedTopic) {
      speeds_.clear();
    } else if (topic == kAlertsTopic) {
      alerts_.clear();
    } else if (topic == kDlqTopic) {
      dead_letters_.clear();
    } else if (topic == kCountsTopic) {
      counts_.clear();
    }
    next_version();
  }
  for (const auto& [id, wait] : over) wait.done();
}

void View::call_when_removed(const std::string& id, int64_t deadline_ms, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    if (vehicles_.contains(id)) {
      removal_waits_.emplace(id, RemovalWait{deadline_ms, std::move(done)});
      return;
    }
  }
  done();
}

void View::expire_waits(int64_t now_ms) {
  std::vector<std::function<void()>> done;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = removal_waits_.begin(); it != removal_waits_.end();) {
      if (it->second.deadline_ms > now_ms) {
        ++it;
        continue;
      }
      done.push_back(std::move(it->second.done));
      it = removal_waits_.erase(it);
    }
  }
  for (const auto& call : done) call();
}

void View::apply_occupancy(const client::ConsumedRecord& record) {
  const auto value = decode(occupancy_topic_, record);
  if (!value) return;
  const std::lock_guard lock(mutex_);
  next_version();
  occupancy_[value->zone_id] = value->vehicles;
  changed_zones_.insert(value->zone_id);
}

void View::apply_speed(const client::ConsumedRecord& record) {
  const auto value = decode(speed_topic_, record);
  if (!value) return;
  const std::lock_guard lock(mutex_);
  next_version();
  auto& windows = speeds_[value->vehicle_id];
  windows[value->window_start] = *value;
  if (windows.size() > kWindowsMax) windows.erase(windows.begin());
}

void View::apply_alert(const client::ConsumedRecord& record) {
  auto value = decode(alert_topic_, record);
  if (!value) return;
  const std::lock_guard lock(mutex_);
  next_version();
  new_alerts_.push_back(*value);
  if (new_alerts_.size() > kAlertsMax) new_alerts_.erase(new_alerts_.begin());
  insert_bounded(
      alerts_, std::move(*value), [](const Alert& alert) { return alert.timestamp; }, kAlertsMax);
}

void View::apply_dead_letter(const client::ConsumedRecord& record) {
  auto value = decode(dead_letter_topic_, record);
  if (!value) return;
  const std::lock_guard lock(mutex_);
  next_version();
  // Of positions as deadLetters counts them; of the rest by topic. Any program may write here: what it writes is
  // bounded.
  const bool known =
      value->topic == kRawTopic || value->topic == kVehicleMasterTopic || value->topic == kZoneMasterTopic;
  std::pair<std::string, std::string> key(known ? value->topic : "other", value->rule);
  if (rejections_.size() >= kRulesMax && !rejections_.contains(key)) key.second = "other";
  ++rejections_[std::move(key)];
  insert_bounded(
      dead_letters_, std::move(*value), [](const DeadLetter& letter) { return letter.received_at; }, kDeadLettersMax);
}

void View::apply_counts(const client::ConsumedRecord& record) {
  const auto value = decode(counts_topic_, record);
  if (!value) return;
  const std::lock_guard lock(mutex_);
  next_version();
  counts_[value->partition] = *value;
}

void View::set_zones(std::shared_ptr<const ZoneIndex> zones) {
  const std::lock_guard lock(mutex_);
  zones_ = std::move(zones);
  zones_changed_ = true;
  next_version();
}

std::shared_ptr<const ZoneIndex> View::zones() const {
  const std::lock_guard lock(mutex_);
  return zones_;
}

std::vector<ShownVehiclePtr> View::vehicles() const {
  const std::lock_guard lock(mutex_);
  std::vector<ShownVehiclePtr> out;
  out.reserve(vehicles_.size());
  for (const auto& [id, vehicle] : vehicles_) out.push_back(vehicle);
  return out;
}

ShownVehiclePtr View::vehicle(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto it = vehicles_.find(id);
  return it == vehicles_.end() ? nullptr : it->second;
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
  std::vector<std::string> out;
  for (const ShownVehiclePtr& vehicle : vehicles()) {
    const auto& zones = vehicle->state.zones;
    if (std::binary_search(zones.begin(), zones.end(), zone_id)) out.push_back(vehicle->state.vehicle_id);
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

std::map<std::pair<std::string, std::string>, int64_t> View::rejections() const {
  const std::lock_guard lock(mutex_);
  return rejections_;
}

ViewChanges View::take_changes() {
  const std::lock_guard lock(mutex_);
  ViewChanges out;
  for (const std::string& id : changed_vehicles_) {
    if (const auto it = vehicles_.find(id); it != vehicles_.end()) out.vehicles.push_back(it->second);
  }
  for (const std::string& id : changed_zones_) {
    if (zones_->zone(id) != nullptr) out.zones.push_back({id, occupancy_[id]});
  }
  out.zones_changed = std::exchange(zones_changed_, false);
  out.removed_vehicles.assign(removed_vehicles_.begin(), removed_vehicles_.end());
  out.alerts = std::move(new_alerts_);
  changed_vehicles_.clear();
  removed_vehicles_.clear();
  changed_zones_.clear();
  new_alerts_.clear();
  return out;
}

}  // namespace muir::vts
