// ZoneDirectory: the zones of zone.master as they are now, shared by the topology and the view.
//
// A record of zone.master that is no zone leaves the row before it in place. When the topic has been compacted to that
// record, the row is the one of zone.rows, to which the topology writes what it takes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

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
  // Takes records of zone.master and zone.rows, in any order of the two. Those that are no zones are logged and
  // skipped; the topology makes dead letters of them.
  void apply(const client::PartitionRecords& records);
  // Records that apply() has taken so far: whether it gets on.
  [[nodiscard]] uint64_t taken() const { return taken_; }
  // apply() waits no longer for a registry that does not answer.
  void end() { patience_.end(); }
  // Never null.
  [[nodiscard]] std::shared_ptr<const ZoneIndex> zones() const;
  // False when there are still fewer zones after `timeout_ms`.
  [[nodiscard]] bool wait_for(size_t zones_min, int64_t timeout_ms) const;

 private:
  struct Row {
    std::optional<ZoneMaster> zone{};  // of zone.master, or of zone.rows until that has one, or none
    bool is_master = false;            // zone.master has said what it is, or that it is deleted
    bool refused = false;              // zone.master has had another record
    [[nodiscard]] bool counts() const { return zone && (is_master || refused); }
  };
  // Whether the zones may be others now.
  bool apply(std::string_view topic, const client::ConsumedRecord& record);
  bool apply_master(const std::string& id, const client::ConsumedRecord& record);
  bool apply_row(const std::string& id, const client::ConsumedRecord& record);
  Result<ZoneMaster> read(std::string_view topic, const std::string& id, const client::ConsumedRecord& record);

  SerdeRef<ZoneMaster> serde_ = row_serde<ZoneMaster>();
  Patience patience_;
  std::atomic<uint64_t> taken_ = 0;
  std::map<std::string, Row> rows_;  // of the thread that applies
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::shared_ptr<const ZoneIndex> index_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>());
};

}  // namespace muir::vts
