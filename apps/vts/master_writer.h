// MasterWriter: writes rows of vehicle.master and zone.master.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/vts/master_data.h"
#include "base/clock.h"
#include "client/producer.h"
#include "serde/serde.h"

namespace muir::vts {

// Thread-safe. `producer` and `clock` outlive it.
class MasterWriter {
 public:
  // After acks=all, on a thread of the producer: how it went, and where the row lies.
  using OnDone = std::function<void(const Status&, const client::TopicPartition&, Offset)>;

  MasterWriter(client::Producer& producer, const Clock& clock) : producer_(producer), clock_(clock) {}
  Status configure(const SerdeContext& context);

  Status put_vehicle(const std::string& vehicle_id, const VehicleMaster& vehicle, OnDone on_done);
  Status put_zone(const ZoneMaster& zone, OnDone on_done);
  Status remove_vehicle(const std::string& vehicle_id, OnDone on_done);
  Status remove_zone(const std::string& zone_id, OnDone on_done);
  // Writes all and waits for their acknowledgement.
  Status load(const std::vector<NamedVehicle>& vehicles, const std::vector<ZoneMaster>& zones, int64_t timeout_ms);

 private:
  Status send(std::string_view topic, const std::string& key, OptBytesView value, OnDone on_done,
              std::span<const client::Header> headers = {});

  client::Producer& producer_;
  const Clock& clock_;
  SerdeRef<VehicleMaster> vehicle_ = default_serde<VehicleMaster>();
  SerdeRef<ZoneMaster> zone_ = default_serde<ZoneMaster>();
};

}  // namespace muir::vts
