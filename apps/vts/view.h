// View: what the output topics say now, ready to be asked. Any number of instances hold the same.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/vts/records.h"
#include "apps/vts/zone_index.h"
#include "client/records.h"
#include "serde/serde.h"

namespace muir::vts {

// What has changed since the last look.
struct ViewChanges {
  std::vector<VehicleState> vehicles;
  std::vector<ZoneOccupancy> zones;
  std::vector<Alert> alerts;  // oldest first
  [[nodiscard]] bool empty() const { return vehicles.empty() && zones.empty() && alerts.empty(); }
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
  static constexpr size_t kTrailMax = 120;   // per vehicle: half an hour of fixes every 15 s

  // Before any record.
  Status configure(const SerdeContext& context);

  // Takes records of the output topics. Undecodable ones are logged and skipped.
  void apply(const client::PartitionRecords& records);

  void set_zones(std::shared_ptr<const ZoneIndex> zones);
  [[nodiscard]] std::shared_ptr<const ZoneIndex> zones() const;

  [[nodiscard]] std::vector<VehicleState> vehicles() const;  // by id
  [[nodiscard]] std::optional<VehicleState> vehicle(const std::string& id) const;
  [[nodiscard]] std::vector<SpeedAverage> speeds(const std::string& vehicle_id) const;  // oldest first
  // Its newest fixes, oldest first: those the view has seen, and after a start those that compaction has left.
  [[nodiscard]] std::vector<TrailFix> trail(const std::string& vehicle_id, size_t limit) const;
  [[nodiscard]] std::vector<ZoneOccupancy> occupancies() const;  // of the zones there are, by id
  [[nodiscard]] std::vector<std::string> vehicles_in(const std::string& zone_id) const;
  [[nodiscard]] std::vector<Alert> alerts(size_t limit) const;             // newest first
  [[nodiscard]] std::vector<DeadLetter> dead_letters(size_t limit) const;  // newest first
  [[nodiscard]] ViewTotals totals() const;
  // Moves the changes out. One caller.
  ViewChanges take_changes();

 private:
  template <class T>
  struct Topic {
    std::string_view name;
    SerdeRef<T> serde;
  };
  template <class T>
  std::optional<T> decode(const Topic<T>& topic, const client::ConsumedRecord& record) const;
  // Under mutex_.
  void apply_state(const client::ConsumedRecord& record);
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

  mutable std::mutex mutex_;
  std::shared_ptr<const ZoneIndex> zones_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>());
  std::map<std::string, VehicleState, std::less<>> vehicles_;
  std::map<std::string, int64_t, std::less<>> occupancy_;
  std::map<std::string, std::map<int64_t, SpeedAverage>, std::less<>> speeds_;
  std::map<std::string, std::deque<TrailFix>, std::less<>> trails_;
  std::deque<Alert> alerts_;             // by timestamp
  std::deque<DeadLetter> dead_letters_;  // by time of receipt
  std::map<int32_t, PartitionCounts> counts_;
  std::set<std::string> changed_vehicles_;
  std::set<std::string> changed_zones_;
  std::vector<Alert> new_alerts_;
};

}  // namespace muir::vts
