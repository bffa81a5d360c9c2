// Aggregation by key and window, for windows of one size.
#include "streams/nodes/cached_context.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/task_context.h"
#include "streams/nodes/windowed_table.h"

namespace muir::streams::internal {
namespace {

WindowedTable::Windowing windowing_of(const Windows& windows) {
  return {.size_ms = windows.size_ms(),
          .grace_ms = windows.grace_ms(),
          .emits_on_close = windows.emit() == EmitStrategy::on_window_close};
}

class WindowAggregateNode final : public WindowedTable {
 public:
  WindowAggregateNode(TableSpec table, const logical::Aggregate& aggregate)
      : WindowedTable(std::move(table), aggregate, windowing_of(*aggregate.windows)) {}

  Status process(const Row& row) override {
    if (row.key == nullptr) {
      drop();
      return {};
    }
    const RowHeaders headers(task(), row.headers);
    const int64_t close_ms = observe(row);
    MUIR_RETURN_IF_ERROR(emit_closed(close_ms, row));
    MUIR_RETURN_IF_ERROR(seek(row.key));
    starts_ms_.clear();
    aggregate_.windows->starts(row.timestamp_ms, starts_ms_);
    for (const int64_t start_ms : starts_ms_) {
      if (start_ms + windowing_.size_ms <= close_ms) {
        drop();
        continue;
      }
      const bool present = MUIR_TRY(store_->fetch(key_, start_ms, stored_));
      MUIR_RETURN_IF_ERROR(update(row, start_ms, present ? &stored_ : nullptr));
    }
    return {};
  }

 private:
  // Reused from record to record.
  std::vector<int64_t> starts_ms_;
  store::ValueAndTimestamp stored_;
};

}  // namespace

NodeFactory window_aggregate_node(TableSpec table, logical::Aggregate aggregate) {
  return [table = std::move(table), aggregate = std::move(aggregate)] {
    return std::make_unique<WindowAggregateNode>(table, aggregate);
  };
}

}  // namespace muir::streams::internal
