// WindowedTable: a table of aggregates by key and window, in a window store: what the aggregations that keep one have
// in common. They decide which windows a record changes.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "store/window_store.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/table_bytes.h"

namespace muir::streams::internal {

class WindowedTable : public Node {
 public:
  struct Windowing {
    int64_t size_ms = 0;  // from a window's start to its end
    int64_t grace_ms = 0;
    bool emits_on_close = false;
    bool end_included = false;  // the end belongs to the window
  };
  WindowedTable(TableSpec table, logical::Aggregate aggregate, Windowing windowing);

  Status init() override;
  Result<Found> look_up(const void* windowed_key, int64_t as_of_ms) override;
  void save(std::map<std::string, int64_t>& metadata) const override;
  void load(const std::map<std::string, int64_t>& metadata) override;

 protected:
  // Moves time on; the time that windows must not have ended at to be changed by records.
  int64_t observe(const Row& row) {
    observed_ms_ = std::max(observed_ms_, row.timestamp_ms);
    return observed_ms_ - windowing_.grace_ms;
  }
  // Sets the key of what follows.
  Status seek(const void* key) {
    key_.clear();
    return types_->key.serde->serialize(topic_, key, key_);
  }
  // Makes of a window what it becomes by the row, keeps it and tells it. `stored`: what it has; null: nothing.
  Status update(const Row& row, int64_t start_ms, const store::ValueAndTimestamp* stored);
  // Keeps it as it is and tells it.
  Status copy(const Row& row, int64_t start_ms, const store::ValueAndTimestamp& stored);
  // Tells the windows that are closed, each once. Runs before the record's own windows are written: the store may drop
  // closed windows as soon as its time moves on, and those that the record may still change are not among them.
  Status emit_closed(int64_t close_ms, const Row& row);

  const TableSpec declared_;
  logical::Aggregate aggregate_;
  const Windowing windowing_;
  store::WindowStore* store_ = nullptr;
  const TypedPair* types_ = nullptr;  // of the store
  std::string topic_;
  Bytes key_;

 private:
  Status keep_null(const Row& row, int64_t start_ms);
  Status emit_range(int64_t from_ms, int64_t to_ms, const Row& row);
  [[nodiscard]] bool tells() const { return !windowing_.emits_on_close && !cached_.attached(); }
  // The key of the window that begins then.
  const void* windowed(const void* key, int64_t start_ms) {
    aggregate_.windowed.ops->assign(windowed_key_.get(), key, {start_ms, start_ms + windowing_.size_ms});
    return windowed_key_.get();
  }

  CachedTable cached_;
  int64_t observed_ms_ = -1;  // the greatest timestamp this node has seen; unset again after a restart, as in Kafka
  std::optional<int64_t> emitted_until_ms_;
  // Reused from record to record.
  ErasedObject value_;
  ErasedObject old_;
  ErasedObject windowed_key_;
  ErasedObject emitted_key_;
  Bytes encoded_;
  // Of look-ups, which may come while a window is being forwarded.
  ErasedObject found_;
  Bytes sought_;
  store::ValueAndTimestamp seen_;
};

}  // namespace muir::streams::internal
