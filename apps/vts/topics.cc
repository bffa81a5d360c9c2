#include "apps/vts/topics.h"

#include <string>

#include "apps/vts/records.h"

namespace muir::vts {
namespace {

// By size instead of by time: records have the time of their fix, and a replay of an old recording must not expire on
// arrival.
std::map<std::string, std::string> growing(int64_t retention_bytes) {
  return {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}, {"retention.bytes", std::to_string(retention_bytes)}};
}

}  // namespace

Status ensure_topics(client::Admin& admin, int32_t partitions, int64_t retention_bytes) {
  const std::map<std::string, std::string> compacted{{"cleanup.policy", "compact"}};
  const std::map<std::string, std::string> kept = growing(retention_bytes);
  for (const std::string_view name :
       {kRawTopic, kDlqTopic, kEnrichedTopic, kAlertsTopic, kSpeedTopic, kStateTopic, kOccupancyTopic, kCountsTopic,
        kVehicleMasterTopic, kZoneMasterTopic, kZoneRowsTopic}) {
    const bool grows =
        name == kRawTopic || name == kDlqTopic || name == kEnrichedTopic || name == kAlertsTopic || name == kSpeedTopic;
    const Status created =
        admin.create_topic({.name = std::string(name), .partitions = partitions, .configs = grows ? kept : compacted});
    if (!created.ok() && created.code() != Code::already_exists)
      return created.annotate(fmt::format("create topic {}", name));
  }
  const auto raw = MUIR_TRY(admin.describe_topic(std::string(kRawTopic)));
  const auto master = MUIR_TRY(admin.describe_topic(std::string(kVehicleMasterTopic)));
  if (raw.partitions != master.partitions) {
    return error(Code::failed_precondition,
                 "{} has {} partitions and {} has {}: they are joined and need the same number", kRawTopic,
                 raw.partitions, kVehicleMasterTopic, master.partitions);
  }
  return {};
}

}  // namespace muir::vts
