// Aggregations by key.
#include <algorithm>

#include "streams/nodes/cached_context.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

// A table of aggregates, by key.
class AggregatedTable : public Node {
 public:
  explicit AggregatedTable(TableSpec table) : declared_(std::move(table)), old_(declared_.value) {}

  Status init() override {
    table_ = MUIR_TRY(open_table(task(), declared_));
    found_ = MUIR_TRY(open_table(task(), declared_));
    return cached_.attach(*this, declared_);
  }
  Result<Found> look_up(const void* key, int64_t as_of_ms) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get(as_of_ms);
  }

 protected:
  // Stores the table's object, which was `before`, and tells what changed. `tells_old`: old_ holds what it was.
  Status keep(const Row& row, const Found& before, bool tells_old) {
    const int64_t timestamp_ms =
        before.value != nullptr ? std::max(before.timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
    const TableBytes::Kept kept = MUIR_TRY(table_.put(table_.object(), timestamp_ms));
    if (cached_.attached() || kept == TableBytes::Kept::nothing) return {};
    return forward({row.key, table_.object(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr,
                    kept == TableBytes::Kept::latest});
  }

  // There was nothing and is nothing; the store is told all the same, as Kafka Streams does, and so is its changelog.
  Status keep_nothing(const Row& row) {
    const TableBytes::Kept kept = MUIR_TRY(table_.put(nullptr, row.timestamp_ms));
    if (cached_.attached() || kept == TableBytes::Kept::nothing) return {};
    return forward({row.key, nullptr, row.timestamp_ms, row.headers, nullptr, kept == TableBytes::Kept::latest});
  }

  const TableSpec declared_;
  TableBytes table_;
  ErasedObject old_;

 private:
  CachedTable cached_;
  TableBytes found_;  // buffers of its own: a look-up may come while an aggregate is being forwarded
};

class AggregateNode final : public AggregatedTable {
 public:
  AggregateNode(TableSpec table, logical::Aggregate aggregate)
      : AggregatedTable(std::move(table)), aggregate_(std::move(aggregate)) {}

  Status process(const Row& row) override {
    if (row.key == nullptr || row.value == nullptr) {
      drop();
      return {};
    }
    const RowHeaders headers(task(), row.headers);
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    const Found before = MUIR_TRY(table_.get());
    const bool tells_old = declared_.tells_old && keep_old(aggregate_.initial, before.value, old_);
    if (!aggregate_.apply(row, before.value != nullptr, table_.object())) {
      drop();
      return {};
    }
    return keep(row, before, tells_old);
  }

 private:
  logical::Aggregate aggregate_;
};

// Takes a change's old value out of the aggregate of its group, and puts the new one in.
class TableAggregateNode final : public AggregatedTable {
 public:
  TableAggregateNode(TableSpec table, logical::TableAggregate aggregate)
      : AggregatedTable(std::move(table)), aggregate_(std::move(aggregate)) {}

  Status process(const Row& row) override {
    if (row.key == nullptr) return error(Code::invalid_argument, "{}: a change without key", spec().name);
    const RowHeaders headers(task(), row.headers);
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    const Found before = MUIR_TRY(table_.get());
    const bool present = before.value != nullptr;
    if (!present && row.value == nullptr) return keep_nothing(row);
    const bool tells_old = declared_.tells_old && present;
    if (tells_old) old_.assign(before.value);
    if (present && row.old_value != nullptr) aggregate_.subtract(row.with_value(row.old_value), true, table_.object());
    if (row.value != nullptr) aggregate_.add(row, present, table_.object());
    return keep(row, before, tells_old);
  }

 private:
  logical::TableAggregate aggregate_;
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
