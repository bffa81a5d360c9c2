// ZoneDirectory: the zones of zone.master as they are now, shared by the topology and the view.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "apps/vts/master_rows.h"
#include "apps/vts/patience.h"
#include "apps/vts/zone_index.h"
#include "client/records.h"
#include "serde/serde.h"

namespace muir::vts {

// Thread-safe.
class ZoneDirectory {
 public:
  // Before any record.
  Status configure(const SerdeContext& context) { return serde_.configure(context, false); }
  // Takes records of zone.master. Those that are no zones are logged and skipped; the topology makes dead letters of
  // them.
  void apply(const client::PartitionRecords& records);
  // apply() waits no longer for a registry that does not answer.
  void end() { patience_.end(); }
  // Never null.
  [[nodiscard]] std::shared_ptr<const ZoneIndex> zones() const;
  // False when there are still fewer zones after `timeout_ms`.
  [[nodiscard]] bool wait_for(size_t zones_min, int64_t timeout_ms) const;

 private:
  SerdeRef<ZoneMaster> serde_ = row_serde<ZoneMaster>();
  Patience patience_;
  std::map<std::string, ZoneMaster> rows_;  // of the thread that applies
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::shared_ptr<const ZoneIndex> index_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>());
};

}  // namespace muir::vts
