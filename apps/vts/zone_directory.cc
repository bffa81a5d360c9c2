#include "apps/vts/zone_directory.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "apps/vts/ids.h"
#include "apps/vts/master_rows.h"
#include "base/log.h"

namespace muir::vts {

void ZoneDirectory::apply(const client::PartitionRecords& records) {
  for (const client::ConsumedRecord& record : records.records) {
    ++records_;
    if (!record.key) continue;
    const std::string id(*record.key);
    const Status named = check_id("the key", id);
    if (!named.ok()) {  // no zone has it
      log::warn("{} offset {}: {}", records.partition.topic, record.offset, named.message());
      continue;
    }
    unsettled_.insert(id);
    Row& row = rows_[id];
    const PartitionId partition = records.partition.partition;
    records.partition.topic == kZoneRowsTopic ? take_row(row, partition, record) : take_master(row, partition, record);
  }
  if (loaded_) return settle(false);
  if (unread_bytes_ <= unread_bytes_limit_) return;
  settle(true);
  unread_bytes_limit_ = std::max(unread_bytes_max_, 2 * unread_bytes_);
}

void ZoneDirectory::forget(const client::TopicPartition& partition) {
  const bool of_rows = partition.topic == kZoneRowsTopic;
  for (auto it = rows_.begin(); it != rows_.end();) {
    Row& row = it->second;
    if (of_rows && row.rows_partition == partition.partition) stale_ |= forget_row(row);
    if (!of_rows && row.master_partition == partition.partition) stale_ |= forget_master(row);
    const bool known = row.zone || row.is_master || row.refused || !row.of_master.empty() || row.of_rows;
    if (!known) unsettled_.erase(it->first);
    it = known ? std::next(it) : rows_.erase(it);
  }
  if (loaded_) settle(false);
}

bool ZoneDirectory::forget_master(Row& row) {
  const bool counted = row.counts();
  drop(row.of_master);
  if (row.is_master) row.zone.reset();
  row.is_master = false;
  row.refused = false;
  return counted;
}

bool ZoneDirectory::forget_row(Row& row) {
  const bool counted = row.counts() && !row.is_master;
  row.of_rows.reset();
  if (!row.is_master) row.zone.reset();
  return counted;
}

void ZoneDirectory::loaded() {
  loaded_ = stale_ = true;
  settle(false);
}

void ZoneDirectory::end() {
  ended_ = true;
  patience_.end();
}

void ZoneDirectory::take_master(Row& row, PartitionId partition, const client::ConsumedRecord& record) {
  row.master_partition = partition;
  if (record.value) return keep({record.offset, Bytes(*record.value)}, row.of_master);
  drop(row.of_master);
  row.zone.reset();
  row.is_master = true;
  row.refused = false;
  stale_ = true;
}

void ZoneDirectory::take_row(Row& row, PartitionId partition, const client::ConsumedRecord& record) {
  row.rows_partition = partition;
  Version version{record.offset};
  if (record.value) version.value.emplace(*record.value);
  row.of_rows = std::move(version);
}

void ZoneDirectory::keep(Version version, std::vector<Version>& versions) {
  unread_bytes_ += version.value->size();
  versions.push_back(std::move(version));
}

void ZoneDirectory::drop(std::vector<Version>& versions) {
  for (const Version& version : versions) unread_bytes_ -= version.value->size();
  versions = {};
}

void ZoneDirectory::settle(bool superseded_only) {
  for (auto it = unsettled_.begin(); it != unsettled_.end() && !ended_;) {
    const auto row = rows_.find(*it);
    if (superseded_only && row->second.of_master.size() < 2) {
      ++it;
      continue;
    }
    const bool rows_deleted = row->second.of_rows && !row->second.of_rows->value;
    stale_ |= settle(row->first, row->second);
    if (rows_deleted && !row->second.zone && !row->second.refused) rows_.erase(row);  // deleted here and there
    it = unsettled_.erase(it);
  }
  if (loaded_ && std::exchange(stale_, false)) build_index();
}

bool ZoneDirectory::settle(const std::string& id, Row& row) {
  const bool master_came = !row.of_master.empty();
  for (auto version = row.of_master.rbegin(); version != row.of_master.rend(); ++version) {
    if (auto zone = read(kZoneMasterTopic, id, *version)) {
      row.zone = std::move(zone);
      row.is_master = true;
      row.refused = false;
      break;
    }
    row.refused = !ended_;
  }
  drop(row.of_master);
  const bool row_counts = settle_row(id, row);
  return row_counts || (master_came && row.counts());
}

bool ZoneDirectory::settle_row(const std::string& id, Row& row) {
  if (row.is_master) row.of_rows.reset();  // what zone.master itself still has is not looked at
  if (!row.of_rows || (row.of_rows->value && !row.refused)) return false;
  const bool counted = row.counts();
  row.zone = row.of_rows->value ? read(kZoneRowsTopic, id, *row.of_rows) : std::nullopt;
  row.of_rows.reset();
  return counted || row.counts();
}

std::optional<ZoneMaster> ZoneDirectory::read(std::string_view topic, const std::string& id, const Version& version) {
  if (ended_) return std::nullopt;
  ++checked_;
  auto zone = patience_.read([&] { return read_zone_row(serde_, id, *version.value); });
  if (zone.ok()) return std::move(*zone);
  log::warn("{} offset {}: {}", topic, version.offset, zone.status().message());
  return std::nullopt;
}

void ZoneDirectory::build_index() {
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
