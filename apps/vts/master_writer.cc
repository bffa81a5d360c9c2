#include "apps/vts/master_writer.h"

namespace muir::vts {

Status MasterWriter::configure(const SerdeContext& context) {
  MUIR_RETURN_IF_ERROR(vehicle_.configure(context, false));
  return zone_.configure(context, false);
}

Status MasterWriter::send(std::string_view topic, const std::string& key, OptBytesView value, OnDone on_done,
                          std::span<const client::Header> headers) {
  const client::ProducedRecord record{.topic = topic, .key = BytesView(key), .value = value, .headers = headers};
  client::DeliveryCallback done;
  if (on_done)
    done = [on_done = std::move(on_done), topic](const Status& status, std::span<const client::Delivery> deliveries) {
      const client::Delivery where = deliveries.empty() ? client::Delivery{} : deliveries.front();
      on_done(status, {std::string(topic), where.partition}, where.offset);
    };
  return producer_.send(std::span(&record, 1), std::move(done));
}

Status MasterWriter::put_vehicle(const std::string& vehicle_id, const VehicleMaster& vehicle, OnDone on_done) {
  Bytes value;
  MUIR_RETURN_IF_ERROR(vehicle_.serialize(kVehicleMasterTopic, vehicle, value));
  return send(kVehicleMasterTopic, vehicle_id, BytesView(value), std::move(on_done));
}

Status MasterWriter::put_zone(const ZoneMaster& zone, OnDone on_done) {
  Bytes value;
  MUIR_RETURN_IF_ERROR(zone_.serialize(kZoneMasterTopic, zone, value));
  return send(kZoneMasterTopic, zone.zone_id, BytesView(value), std::move(on_done));
}

Status MasterWriter::remove_vehicle(const std::string& vehicle_id, OnDone on_done) {
  const std::string now = std::to_string(clock_.now_ms());
  const client::Header removed_at{.name = kRemovedAtHeader, .value = BytesView(now)};
  return send(kVehicleMasterTopic, vehicle_id, std::nullopt, std::move(on_done), std::span(&removed_at, 1));
}

Status MasterWriter::remove_zone(const std::string& zone_id, OnDone on_done) {
  return send(kZoneMasterTopic, zone_id, std::nullopt, std::move(on_done));
}

Status MasterWriter::load(const std::vector<NamedVehicle>& vehicles, const std::vector<ZoneMaster>& zones,
                          int64_t timeout_ms) {
  for (const auto& [id, vehicle] : vehicles) MUIR_RETURN_IF_ERROR(put_vehicle(id, vehicle, nullptr));
  for (const ZoneMaster& zone : zones) MUIR_RETURN_IF_ERROR(put_zone(zone, nullptr));
  return producer_.flush(timeout_ms);
}

}  // namespace muir::vts
