// View: what the output topics say now, ready to be asked. Any number of instances hold the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/vts/patience.h"
#include "apps/vts/records.h"
#include "apps/vts/zone_index.h"
#include "client/records.h"
#include "serde/serde.h"

namespace muir::vts {

// A vehicle's newest state, and the same as JSON: written once for all who ask. Shared, as it never changes: lists of
// thousands are taken from the view without copying any.
struct ShownVehicle {
  VehicleState state;
  std::string json;
};
using ShownVehiclePtr = std::shared_ptr<const ShownVehicle>;

// What has changed since the last look.
struct ViewChanges {
  std::vector<std::string> removed_vehicles;  // those of `vehicles` came after
  std::vector<ShownVehiclePtr> vehicles;
  std::vector<ZoneOccupancy> zones;
  bool zones_changed = false;  // the zones themselves, not how many vehicles are in them
  std::vector<Alert> alerts;   // oldest first
  [[nodiscard]] bool empty() const {
    return removed_vehicles.empty() && vehicles.empty() && zones.empty() && !zones_changed && alerts.empty();
  }
};

struct ViewTotals {
  int64_t vehicles = 0;
  PartitionCounts counts;  // of all partitions
};

// One fix of a vehicle's way.
struct TrailFix {
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  int64_t timestamp = 0;
};

// Thread-safe.
class View {
 public:
  static constexpr size_t kAlertsMax = 2000;
  static constexpr size_t kDeadLettersMax = 2000;
  static constexpr size_t kWindowsMax = 48;  // per vehicle
  static constexpr size_t kRulesMax = 64;    // counted apart; there are ten
  static constexpr size_t kTrailMax = 120;   // per vehicle: half an hour of fixes every 15 s

  // Before any record.
  Status configure(const SerdeContext& context);

  // Takes records of the output topics. Undecodable ones are logged and skipped; waits for a registry that does not
  // answer.
  void apply(const client::PartitionRecords& records);
  // The topic was made anew: what it held is no longer so, whatever it holds now comes next.
  void forget(std::string_view topic);
  // apply() waits no longer.
  void end() { patience_.end(); }

  void set_zones(std::shared_ptr<const ZoneIndex> zones);
  [[nodiscard]] std::shared_ptr<const ZoneIndex> zones() const;

  // Grows with everything that changes what is answered below.
  [[nodiscard]] uint64_t version() const { return version_.load(std::memory_order_acquire); }
  [[nodiscard]] std::vector<ShownVehiclePtr> vehicles() const;                          // by id
  [[nodiscard]] ShownVehiclePtr vehicle(const std::string& id) const;                   // null: there is none
  [[nodiscard]] std::vector<SpeedAverage> speeds(const std::string& vehicle_id) const;  // oldest first
  // Its newest fixes, oldest first: those the view has seen, and after a start those that compaction has left.
  [[nodiscard]] std::vector<TrailFix> trail(const std::string& vehicle_id, size_t limit) const;
  [[nodiscard]] std::vector<ZoneOccupancy> occupancies() const;  // of the zones there are, by id
  [[nodiscard]] std::vector<std::string> vehicles_in(const std::string& zone_id) const;
  [[nodiscard]] std::vector<Alert> alerts(size_t limit) const;             // newest first
  [[nodiscard]] std::vector<DeadLetter> dead_letters(size_t limit) const;  // newest first
  [[nodiscard]] ViewTotals totals() const;
  // Dead letters seen, by the topic of the rejected record and the rule.
  [[nodiscard]] std::map<std::pair<std::string, std::string>, int64_t> rejections() const;
  // Moves the changes out. One caller.
  ViewChanges take_changes();

  // Calls `done` when the vehicle is removed (at once when it is not there), or when expire_waits() is told that
  // `deadline_ms` has come: from whatever thread does that.
  void call_when_removed(const std::string& id, int64_t deadline_ms, std::function<void()> done);
  void expire_waits(int64_t now_ms);

 private:
  template <class T>
  struct Topic {
    std::string_view name;
    SerdeRef<T> serde;
  };
  template <class T>
  std::optional<T> decode(const Topic<T>& topic, const client::ConsumedRecord& record);
  struct RemovalWait {
    int64_t deadline_ms = 0;
    std::function<void()> done;
  };
  // Each decodes, then takes mutex_: whoever asks does not wait for a whole batch.
  void apply_state(const client::ConsumedRecord& record);
  void remove_vehicle(BytesView id);
  // Under mutex_, together with the change.
  void next_version() { version_.fetch_add(1, std::memory_order_acq_rel); }
  void apply_occupancy(const client::ConsumedRecord& record);
  void apply_speed(const client::ConsumedRecord& record);
  void apply_alert(const client::ConsumedRecord& record);
  void apply_dead_letter(const client::ConsumedRecord& record);
  void apply_counts(const client::ConsumedRecord& record);

  Topic<VehicleState> state_topic_{kStateTopic, default_serde<VehicleState>()};
  Topic<ZoneOccupancy> occupancy_topic_{kOccupancyTopic, default_serde<ZoneOccupancy>()};
  Topic<SpeedAverage> speed_topic_{kSpeedTopic, default_serde<SpeedAverage>()};
  Topic<Alert> alert_topic_{kAlertsTopic, default_serde<Alert>()};
  Topic<DeadLetter> dead_letter_topic_{kDlqTopic, default_serde<DeadLetter>()};
  Topic<PartitionCounts> counts_topic_{kCountsTopic, default_serde<PartitionCounts>()};

  std::atomic<uint64_t> version_{0};
  Patience patience_;
  mutable std::mutex mutex_;
  std::shared_ptr<const ZoneIndex> zones_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>());
  std::map<std::string, ShownVehiclePtr, std::less<>> vehicles_;
  std::map<std::string, int64_t, std::less<>> occupancy_;
  std::map<std::string, std::map<int64_t, SpeedAverage>, std::less<>> speeds_;
  std::map<std::string, std::deque<TrailFix>, std::less<>> trails_;
  std::deque<Alert> alerts_;             // by timestamp
  std::deque<DeadLetter> dead_letters_;  // by time of receipt
  std::map<int32_t, PartitionCounts> counts_;
  std::map<std::pair<std::string, std::string>, int64_t> rejections_;
  std::multimap<std::string, RemovalWait, std::less<>> removal_waits_;
  std::set<std::string> changed_vehicles_;
  std::set<std::string> removed_vehicles_;
  bool zones_changed_ = false;
  std::set<std::string> changed_zones_;
  std::vector<Alert> new_alerts_;
};

}  // namespace muir::vts
