#include "apps/vts/zone_directory.h"

#include <chrono>

#include "apps/vts/master_rows.h"
#include "base/log.h"

namespace muir::vts {
void ZoneDirectory::apply(const client::PartitionRecords& records) {
  for (const client::ConsumedRecord& record : records.records) {
    if (!record.key) continue;
    const std::string id(*record.key);
    if (!record.value) {
      rows_.erase(id);
      continue;
    }
    auto zone = patience_.read([&] { return read_zone_row(serde_, id, *record.value); });
    if (!zone.ok()) {
      log::warn("{} offset {}: {}", kZoneMasterTopic, record.offset, zone.status().message());
      continue;
    }
    rows_.insert_or_assign(id, std::move(*zone));
  }
  std::vector<ZoneMaster> zones;
  for (const auto& [id, zone] : rows_) zones.push_back(zone);
  auto index = std::make_shared<const ZoneIndex>(std::move(zones));
  const std::lock_guard lock(mutex_);
  index_ = std::move(index);
  changed_.notify_all();
}

bool ZoneDirectory::wait_for(size_t zones_min, int64_t timeout_ms) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                           [&] { return index_->zones().size() >= zones_min; });
}

std::shared_ptr<const ZoneIndex> ZoneDirectory::zones() const {
  const std::lock_guard lock(mutex_);
  return index_;
}

}  // namespace muir::vts
