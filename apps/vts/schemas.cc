#include "apps/vts/schemas.h"

#include "apps/vts/dead_letters.h"
#include "apps/vts/master_rows.h"
#include "apps/vts/records.h"
#include "apps/vts/track.h"
#include "apps/vts/tracker.h"
#include "serde/serde.h"

namespace muir::vts {
namespace {

// As a serde does at its first use; the registry's client remembers the answers for all serdes.
template <class T>
Status register_schema(RegistryPort& registry, std::string_view topic) {
  SerdeRef<T> serde = default_serde<T>();
  MUIR_RETURN_IF_ERROR(serde.configure({.registry = &registry}, false));
  Bytes value;
  Status status = serde.serialize(topic, T{}, value);
  if (status.ok()) status = serde.deserialize(topic, value).status();
  if (status.ok()) return {};
  const bool away = status.code() == Code::unavailable || status.code() == Code::timed_out;
  return status.with_message(fmt::format(
      "schema registry: the schema of {}-value cannot be registered, nor is it there already: {}{}", topic,
      status.message(), away ? "" : "; it is needed before positions are taken: the registry must take it once"));
}

}  // namespace

Status register_schemas(RegistryPort& registry, const std::string& application_id) {
  const auto changelog = [&application_id](std::string_view store) {
    return fmt::format("{}-{}-changelog", application_id, store);
  };
  MUIR_RETURN_IF_ERROR(register_schema<RawPosition>(registry, kRawTopic));
  MUIR_RETURN_IF_ERROR(register_schema<DeadLetter>(registry, kDlqTopic));
  MUIR_RETURN_IF_ERROR(register_schema<EnrichedPosition>(registry, kEnrichedTopic));
  MUIR_RETURN_IF_ERROR(register_schema<PartitionCounts>(registry, kCountsTopic));
  MUIR_RETURN_IF_ERROR(register_schema<VehicleState>(registry, kStateTopic));
  MUIR_RETURN_IF_ERROR(register_schema<Alert>(registry, kAlertsTopic));
  MUIR_RETURN_IF_ERROR(register_schema<SpeedAverage>(registry, kSpeedTopic));
  MUIR_RETURN_IF_ERROR(register_schema<ZoneOccupancy>(registry, kOccupancyTopic));
  MUIR_RETURN_IF_ERROR(register_schema<VehicleMaster>(registry, kVehicleMasterTopic));
  MUIR_RETURN_IF_ERROR(register_schema<ZoneMaster>(registry, kZoneMasterTopic));
  MUIR_RETURN_IF_ERROR(register_schema<VehicleTrack>(registry, changelog(kTrackStore)));
  return register_schema<VehicleMaster>(registry, changelog(kVehicleRowsStore));
}

}  // namespace muir::vts
