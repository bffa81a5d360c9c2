#include "apps/vts/zone_directory.h"

#include <chrono>

#include "apps/vts/ids.h"
#include "apps/vts/master_rows.h"
#include "base/log.h"

namespace muir::vts {

Result<ZoneMaster> ZoneDirectory::read(std::string_view topic, const std::string& id,
                                       const client::ConsumedRecord& record) {
  auto zone = patience_.read([&] { return read_zone_row(serde_, id, *record.value); });
  if (!zone.ok()) log::warn("{} offset {}: {}", topic, record.offset, zone.status().message());
  return zone;
}

bool ZoneDirectory::apply_master(const std::string& id, const client::ConsumedRecord& record) {
  if (!record.value) {
    rows_[id] = {.is_master = true};
    return true;
  }
  auto zone = read(kZoneMasterTopic, id, record);
  if (!zone.ok() && !check_id("", id).ok()) return false;  // no zone has it
  Row& row = rows_[id];
  if (zone.ok()) {
    row = {.zone = std::move(*zone), .is_master = true};
    return true;
  }
  row.refused = true;
  return row.counts();
}

// What zone.master itself still has is not looked at.
bool ZoneDirectory::apply_row(const std::string& id, const client::ConsumedRecord& record) {
  const auto known = rows_.find(id);
  if (known != rows_.end() && known->second.is_master) {
    if (!record.value && !known->second.zone) rows_.erase(known);  // deleted here and there
    return false;
  }
  const bool counted = known != rows_.end() && known->second.counts();
  Row& row = rows_[id];
  row.zone.reset();
  if (record.value) {
    if (auto zone = read(kZoneRowsTopic, id, record); zone.ok()) row.zone = std::move(*zone);
  }
  return counted || row.counts();
}

bool ZoneDirectory::apply(std::string_view topic, const client::ConsumedRecord& record) {
  if (!record.key) return false;
  const std::string id(*record.key);
  return topic == kZoneRowsTopic ? apply_row(id, record) : apply_master(id, record);
}

void ZoneDirectory::apply(const client::PartitionRecords& records) {
  bool changed = false;
  for (const client::ConsumedRecord& record : records.records) {
    changed |= apply(records.partition.topic, record);
    ++taken_;
  }
  if (!changed) return;
  std::vector<ZoneMaster> zones;
  for (const auto& [id, row] : rows_) {
    if (row.counts()) zones.push_back(*row.zone);
  }
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
