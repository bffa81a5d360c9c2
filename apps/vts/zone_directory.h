// ZoneDirectory: the zones of zone.master as they are now, shared by the topology and the view.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "apps/vts/zone_index.h"
#include "client/records.h"
#include "serde/serde.h"

namespace muir::vts {

// Thread-safe.
class ZoneDirectory {
 public:
  // Before any record.
  Status configure(const SerdeContext& context) { return serde_.configure(context, false); }
  // Takes records of zone.master. Undecodable ones are logged and skipped.
  void apply(const client::PartitionRecords& records);
  // Never null.
  [[nodiscard]] std::shared_ptr<const ZoneIndex> zones() const;

 private:
  SerdeRef<ZoneMaster> serde_ = default_serde<ZoneMaster>();
  std::map<std::string, ZoneMaster> rows_;  // of the thread that applies
  mutable std::mutex mutex_;
  std::shared_ptr<const ZoneIndex> index_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>());
};

}  // namespace muir::vts
