// Aggregation by key and sliding window: every window that records can tell apart, each as long as the difference says.
// A record makes the window that ends with it and, once there are later records, the one that begins behind it; it
// belongs to all that hold its time. Windows come into being in the order in which Kafka Streams makes and tells them.
#include <algorithm>
#include <set>

#include "streams/nodes/cached_context.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/task_context.h"
#include "streams/nodes/windowed_table.h"

namespace muir::streams::internal {
namespace {

class SlidingAggregateNode final : public WindowedTable {
 public:
  SlidingAggregateNode(TableSpec table, const logical::Aggregate& aggregate)
      : WindowedTable(std::move(table), aggregate,
                      {.size_ms = aggregate.sliding->difference.count(),
                       .grace_ms = aggregate.sliding->grace_ms(),
                       .emits_on_close = aggregate.sliding->emit == EmitStrategy::on_window_close,
                       .end_included = true}),
        size_ms_(windowing_.size_ms) {}

  Status process(const Row& row) override {
    if (row.key == nullptr || row.value == nullptr) {
      drop();
      return {};
    }
    const RowHeaders headers(task(), row.headers);
    close_ms_ = observe(row);
    if (row.timestamp_ms + size_ms_ < close_ms_) {
      drop();
      return {};
    }
    MUIR_RETURN_IF_ERROR(seek(row.key));
    // Those before the first full window tell nothing that closed, as in Kafka Streams.
    if (row.timestamp_ms < size_ms_) return early(row);
    MUIR_RETURN_IF_ERROR(emit_closed(close_ms_, row));
    return full(row);
  }

 private:
  using Aggregated = std::optional<store::ValueAndTimestamp>;
  // What the windows of the key around a record say.
  struct Around {
    std::set<int64_t> starts_ms;
    Aggregated before{};                   // of the last window that ended before the record
    Aggregated after{};                    // of the records behind it
    std::optional<int64_t> previous_ms{};  // of the last record before it
    bool left = false;                     // the window that ends with it is there
    bool right = false;                    // and the one that begins behind it
  };

  [[nodiscard]] auto windows_around(const Row& row, store::Order order) {
    return store_->fetch(key_, std::max<int64_t>(0, row.timestamp_ms - 2 * size_ms_), row.timestamp_ms + 1, order);
  }
  static store::ValueAndTimestamp stored_in(const store::WindowIterator& window) {
    return {Bytes(window.value()), window.timestamp_ms()};
  }

  Status full(const Row& row) {
    const int64_t now_ms = row.timestamp_ms;
    Around around;
    const auto windows = MUIR_TRY(windows_around(row, store::Order::descending));
    while (windows->next()) {
      const int64_t start_ms = windows->window_start_ms();
      const int64_t end_ms = start_ms + size_ms_;
      around.starts_ms.insert(start_ms);
      if (start_ms == now_ms + 1) {
        around.right = true;
        continue;
      }
      const store::ValueAndTimestamp stored = stored_in(*windows);
      if (end_ms < now_ms) {
        around.before = stored;
        around.previous_ms = stored.timestamp_ms;
        break;
      }
      if (end_ms > now_ms && !around.after) around.after = stored;
      MUIR_RETURN_IF_ERROR(change(row, start_ms, &stored));
      if (end_ms > now_ms) continue;
      around.left = true;
      // One of this very time has made all its windows already.
      if (stored.timestamp_ms >= now_ms) return {};
      around.previous_ms = stored.timestamp_ms;
    }
    MUIR_RETURN_IF_ERROR(windows->status());
    return add_windows(row, around);
  }

  Status add_windows(const Row& row, const Around& around) {
    const int64_t now_ms = row.timestamp_ms;
    const int64_t left_ms = now_ms - size_ms_;
    if (around.previous_ms && *around.previous_ms + 1 + size_ms_ >= now_ms) {
      MUIR_RETURN_IF_ERROR(add_behind(row, *around.previous_ms, around));
    }
    if (!around.left) {
      const bool joins = around.previous_ms && *around.previous_ms >= left_ms && around.before;
      Aggregated before;
      if (joins) before = store::ValueAndTimestamp{around.before->value, now_ms};
      MUIR_RETURN_IF_ERROR(change(row, left_ms, before ? &*before : nullptr));
    }
    return add_right(row, around);
  }
  // The window that begins behind an earlier record, which has this one alone.
  Status add_behind(const Row& row, int64_t previous_ms, const Around& around) {
    return around.starts_ms.contains(previous_ms + 1) ? Status() : change(row, previous_ms + 1, nullptr);
  }
  // The window that begins behind the record, if others are in it.
  Status add_right(const Row& row, const Around& around) {
    if (around.right || !around.after || around.after->timestamp_ms <= row.timestamp_ms) return {};
    return copy(row, row.timestamp_ms + 1, *around.after);
  }

  // Before there can be a window as long as the difference, all records are in the one that begins at 0.
  Status early(const Row& row) {
    const int64_t now_ms = row.timestamp_ms;
    Around around;
    Aggregated all;
    const auto windows = MUIR_TRY(windows_around(row, store::Order::ascending));
    while (windows->next()) {
      const int64_t start_ms = windows->window_start_ms();
      around.starts_ms.insert(start_ms);
      if (start_ms == 0) {
        all = stored_in(*windows);
        if (all->timestamp_ms < now_ms) around.previous_ms = all->timestamp_ms;
      } else if (start_ms <= now_ms) {
        around.after = stored_in(*windows);
        MUIR_RETURN_IF_ERROR(change(row, start_ms, &*around.after));
      } else {
        around.right = true;
      }
    }
    MUIR_RETURN_IF_ERROR(windows->status());
    if (!around.after && all && all->timestamp_ms > now_ms) around.after = all;
    MUIR_RETURN_IF_ERROR(add_right(row, around));
    if (around.previous_ms) MUIR_RETURN_IF_ERROR(add_behind(row, *around.previous_ms, around));
    return change(row, 0, all ? &*all : nullptr);
  }

  // Unless the window is closed.
  Status change(const Row& row, int64_t start_ms, const store::ValueAndTimestamp* stored) {
    if (start_ms + size_ms_ >= close_ms_) return update(row, start_ms, stored);
    drop();
    return {};
  }

  const int64_t size_ms_;
  int64_t close_ms_ = 0;  // of the record under way: windows that end before it are closed
};

}  // namespace

NodeFactory sliding_aggregate_node(TableSpec table, logical::Aggregate aggregate) {
  return [table = std::move(table), aggregate = std::move(aggregate)] {
    return std::make_unique<SlidingAggregateNode>(table, aggregate);
  };
}

}  // namespace muir::streams::internal
