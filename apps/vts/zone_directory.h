// ZoneDirectory: the zones of zone.master as they are now, shared by the topology and the view.
//
// A record of zone.master that is no zone leaves the row before it in place. When the topic has been compacted to that
// record, the row is the one of zone.rows, to which the topology writes what it takes.
//
// To check a large zone takes a second, and until the topics are compacted they hold each one's versions: records are
// kept as they come, and of each zone the newest is looked at first, those before it only when it is none.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apps/vts/master_rows.h"
#include "apps/vts/patience.h"
#include "apps/vts/zone_index.h"
#include "client/records.h"
#include "serde/serde.h"

namespace muir::vts {

// Thread-safe, but for apply(), forget() and loaded(), which are for one thread.
class ZoneDirectory {
 public:
  static constexpr size_t kUnreadBytesMax = 64 << 20;
  // Versions are looked at before the end is reached when more bytes of them wait, and as many as are waiting anyway.
  explicit ZoneDirectory(size_t unread_bytes_max = kUnreadBytesMax) : unread_bytes_max_(unread_bytes_max) {}

  // Before any record.
  Status configure(const SerdeContext& context) { return serde_.configure(context, false); }
  // Takes records of zone.master and zone.rows, in any order of the two. Those that are found to be no zones are logged
  // and skipped; the topology makes dead letters of them. There are no zones before loaded().
  void apply(const client::PartitionRecords& records);
  // What the partition held is no longer there; what it holds now comes next. A row of zone.rows that was not needed
  // because zone.master had the zone is not looked for again.
  void forget(const client::TopicPartition& partition);
  // What there was at the start has been applied. From now on each apply() is seen when it returns.
  void loaded();
  // What has been done so far: whether it gets on.
  struct Progress {
    uint64_t records = 0;  // taken
    uint64_t checked = 0;  // of them
    friend bool operator==(const Progress&, const Progress&) = default;
  };
  [[nodiscard]] Progress progress() const { return {records_, checked_}; }
  // apply() and loaded() return soon: they wait no longer for a registry that does not answer, and look at nothing
  // more.
  void end();
  // Never null.
  [[nodiscard]] std::shared_ptr<const ZoneIndex> zones() const;
  // False when there are still fewer zones after `timeout_ms`.
  [[nodiscard]] bool wait_for(size_t zones_min, int64_t timeout_ms) const;

 private:
  struct Version {
    Offset offset;
    std::optional<Bytes> value{};
  };
  struct Row {
    std::optional<ZoneMaster> zone{};  // of zone.master, or of zone.rows until that has one, or none
    bool is_master = false;            // zone.master has said what it is, or that it is deleted
    bool refused = false;              // zone.master has had another record
    std::vector<Version> of_master{};  // not looked at yet, since it was last deleted; oldest first
    std::optional<Version> of_rows{};  // the last one, not looked at yet
    PartitionId master_partition{};    // from which zone.master's come
    PartitionId rows_partition{};      // and those of zone.rows
    [[nodiscard]] bool counts() const { return zone && (is_master || refused); }
  };
  void take_master(Row& row, PartitionId partition, const client::ConsumedRecord& record);
  static void take_row(Row& row, PartitionId partition, const client::ConsumedRecord& record);
  // Whether a zone may be another one now.
  bool forget_master(Row& row);
  static bool forget_row(Row& row);
  // Looks at what has come for the rows that are not settled, or of these only at those of which there are several
  // versions.
  void settle(bool superseded_only);
  // Whether the zone may be another one now.
  bool settle(const std::string& id, Row& row);
  bool settle_row(const std::string& id, Row& row);
  void keep(Version version, std::vector<Version>& versions);
  void drop(std::vector<Version>& versions);
  std::optional<ZoneMaster> read(std::string_view topic, const std::string& id, const Version& version);
  void build_index();

  const size_t unread_bytes_max_;
  SerdeRef<ZoneMaster> serde_ = row_serde<ZoneMaster>();
  Patience patience_;
  std::atomic<uint64_t> records_ = 0;
  std::atomic<uint64_t> checked_ = 0;
  std::atomic<bool> ended_ = false;
  // Of the thread that applies.
  bool loaded_ = false;
  size_t unread_bytes_ = 0;
  size_t unread_bytes_limit_ = unread_bytes_max_;
  std::map<std::string, Row> rows_;
  std::set<std::string> unsettled_;
  bool stale_ = false;  // the index

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::shared_ptr<const ZoneIndex> index_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>());
};

}  // namespace muir::vts
