// Aggregations by key.
#include <algorithm>

#include "streams/nodes/cached_context.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

class AggregateNode final : public Node {
 public:
  AggregateNode(TableSpec table, logical::Aggregate aggregate)
      : declared_(std::move(table)), aggregate_(std::move(aggregate)), old_(declared_.types.value.type) {}

  Status init() override {
    table_ = MUIR_TRY(open_table(task(), declared_));
    found_ = MUIR_TRY(open_table(task(), declared_));
    return cached_.attach(*this, declared_);
  }
  Status process(const Row& row) override {
    if (row.key == nullptr || row.value == nullptr) {
      drop();
      return {};
    }
    const RowHeaders headers(task(), row.headers);
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    const Found old = MUIR_TRY(table_.get());
    const bool tells_old = declared_.tells_old && keep_old(aggregate_.initial, old.value, old_);
    if (!aggregate_.apply(row, old.value != nullptr, table_.object())) {
      drop();
      return {};
    }
    const int64_t timestamp_ms = old.value != nullptr ? std::max(old.timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
    MUIR_RETURN_IF_ERROR(table_.put(table_.object(), timestamp_ms));
    if (cached_.attached()) return {};
    return forward({row.key, table_.object(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr});
  }
  Result<Found> look_up(const void* key) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get();
  }

 private:
  const TableSpec declared_;
  logical::Aggregate aggregate_;
  TableBytes table_;
  ErasedObject old_;
  CachedTable cached_;
  TableBytes found_;  // buffers of its own: a look-up may come while an aggregate is being forwarded
};

// Takes a change's old value out of the aggregate of its group, and puts the new one in.
class TableAggregateNode final : public Node {
 public:
  TableAggregateNode(TableSpec table, logical::TableAggregate aggregate)
      : declared_(std::move(table)), aggregate_(std::move(aggregate)), old_(declared_.types.value.type) {}

  Status init() override {
    table_ = MUIR_TRY(open_table(task(), declared_));
    found_ = MUIR_TRY(open_table(task(), declared_));
    return cached_.attach(*this, declared_);
  }
  Status process(const Row& row) override {
    if (row.key == nullptr) return error(Code::invalid_argument, "{}: a change without key", spec().name);
    const RowHeaders headers(task(), row.headers);
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    const Found stored = MUIR_TRY(table_.get());
    const bool present = stored.value != nullptr;
    if (!present && row.value == nullptr) return forward({row.key, nullptr, row.timestamp_ms, row.headers});
    const bool tells_old = declared_.tells_old && present;
    if (tells_old) old_.assign(stored.value);
    if (present && row.old_value != nullptr) aggregate_.subtract(row.with_value(row.old_value), true, table_.object());
    if (row.value != nullptr) aggregate_.add(row, present, table_.object());
    const int64_t timestamp_ms = present ? std::max(stored.timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
    MUIR_RETURN_IF_ERROR(table_.put(table_.object(), timestamp_ms));
    if (cached_.attached()) return {};
    return forward({row.key, table_.object(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr});
  }
  Result<Found> look_up(const void* key) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get();
  }

 private:
  const TableSpec declared_;
  logical::TableAggregate aggregate_;
  TableBytes table_;
  ErasedObject old_;
  CachedTable cached_;
  TableBytes found_;
};

}  // namespace

NodeFactory aggregate_node(TableSpec table, logical::Aggregate aggregate) {
  return [table = std::move(table), aggregate = std::move(aggregate)] {
    return std::make_unique<AggregateNode>(table, aggregate);
  };
}
NodeFactory table_aggregate_node(TableSpec table, logical::TableAggregate aggregate) {
  return [table = std::move(table), aggregate = std::move(aggregate)] {
    return std::make_unique<TableAggregateNode>(table, aggregate);
  };
}

}  // namespace muir::streams::internal
