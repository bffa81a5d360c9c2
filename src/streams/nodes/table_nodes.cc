// Nodes of tables, and joins with them.
#include "streams/nodes/cached_context.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

// A table that may have a store of its own. The last offset wins, not the last timestamp, as in Kafka Streams.
class KeptTable : public Node {
 public:
  explicit KeptTable(TableSpec table) : declared_(std::move(table)) {}

  Status init() override {
    if (declared_.store.empty()) return {};
    table_ = MUIR_TRY(open_table(task(), declared_));
    found_ = MUIR_TRY(open_table(task(), declared_));
    return cached_.attach(*this, declared_);
  }
  Result<Found> look_up(const void* key) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get();
  }

 protected:
  [[nodiscard]] bool stored() const { return static_cast<bool>(table_); }
  // Whether what the store has is told along with a change now; a cache tells it by itself, when it is flushed.
  [[nodiscard]] bool tells_old_now() const { return declared_.tells_old && !cached_.attached(); }
  // What the store has for the row's key, if that is wanted.
  Result<Found> seek(const Row& row, bool wants_old) {
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    return wants_old ? table_.get() : Result<Found>(Found{});
  }
  // Behind seek(), which found `old`.
  Status keep(const Row& row, const void* value, const Found& old) {
    const RowHeaders headers(task(), row.headers);
    MUIR_RETURN_IF_ERROR(table_.put(value, row.timestamp_ms));
    if (cached_.attached()) return {};
    return forward({row.key, value, row.timestamp_ms, row.headers, old.value});
  }

  const TableSpec declared_;

 private:
  TableBytes table_;
  CachedTable cached_;
  TableBytes found_;  // buffers of its own: a look-up may come while a row is being forwarded
};

class TableNode final : public KeptTable {
 public:
  using KeptTable::KeptTable;
  Status process(const Row& row) override {
    if (row.key == nullptr) {
      drop();
      return {};
    }
    if (!stored()) return forward(row);
    const Found old = MUIR_TRY(seek(row, tells_old_now()));
    return keep(row, row.value, old);
  }
};

// The table that a table operator reads.
Node* parent_of(const Node& node) { return node.task().nodes.at(node.spec().parents.front()); }

class TableFilterNode final : public KeptTable {
 public:
  TableFilterNode(TableSpec table, Predicate keep) : KeptTable(std::move(table)), keep_(std::move(keep)) {}
  Status process(const Row& row) override {
    const void* now = row.value != nullptr && keep_(row) ? row.value : nullptr;
    if (stored()) {
      const Found old = MUIR_TRY(seek(row, declared_.tells_old));
      return declared_.tells_old && now == nullptr && old.value == nullptr ? Status() : keep(row, now, old);
    }
    const bool was_kept = row.old_value != nullptr && keep_(row.with_value(row.old_value));
    // Without old values nobody knows whether the key was there: its deletion is told all the same.
    if (declared_.tells_old && now == nullptr && !was_kept) return {};
    return forward({row.key, now, row.timestamp_ms, row.headers, was_kept ? row.old_value : nullptr});
  }
  Result<Found> look_up(const void* key) override {
    if (stored()) return KeptTable::look_up(key);
    const Found found = MUIR_TRY(parent_of(*this)->look_up(key));
    if (found.value == nullptr || !keep_({key, found.value, found.timestamp_ms})) return Found{};
    return found;
  }

 private:
  Predicate keep_;
};

class TableMapNode final : public KeptTable {
 public:
  TableMapNode(TableSpec table, MapValue map, const ObjectType* out)
      : KeptTable(std::move(table)), map_(std::move(map)), forwarded_(out), old_(out), found_(out) {}
  Status process(const Row& row) override {
    if (row.value != nullptr) map_(row, forwarded_.get());
    const void* now = row.value != nullptr ? forwarded_.get() : nullptr;
    if (stored()) {
      const Found old = MUIR_TRY(seek(row, tells_old_now()));
      return keep(row, now, old);
    }
    if (row.old_value != nullptr) map_(row.with_value(row.old_value), old_.get());
    return forward({row.key, now, row.timestamp_ms, row.headers, row.old_value != nullptr ? old_.get() : nullptr});
  }
  Result<Found> look_up(const void* key) override {
    if (stored()) return KeptTable::look_up(key);
    const Found found = MUIR_TRY(parent_of(*this)->look_up(key));
    if (found.value == nullptr) return Found{};
    map_({key, found.value, found.timestamp_ms}, found_.get());
    return Found{found_.get(), found.timestamp_ms};
  }

 private:
  MapValue map_;
  ErasedObject forwarded_;
  ErasedObject old_;
  ErasedObject found_;
};

class TableJoinNode final : public Node {
 public:
  TableJoinNode(NodeId table, bool left, JoinApply apply) : table_(table), left_(left), apply_(std::move(apply)) {}
  Status init() override {
    looked_up_ = task().nodes.at(table_);
    return {};
  }
  Status process(const Row& row) override {
    if (row.value == nullptr || (row.key == nullptr && !left_)) {
      drop();
      return {};
    }
    Found found;
    if (row.key != nullptr) found = MUIR_TRY(looked_up_->look_up(row.key));
    return found.value == nullptr && !left_ ? Status() : apply_(row, found.value, *this);
  }

 private:
  const NodeId table_;
  const bool left_;
  JoinApply apply_;
  Node* looked_up_ = nullptr;
};

class GlobalJoinNode final : public Node {
 public:
  GlobalJoinNode(TableSpec table, logical::GlobalJoin join) : declared_(std::move(table)), join_(std::move(join)) {}
  Status init() override {
    table_ = MUIR_TRY(open_table(task(), declared_));
    return {};
  }
  Status process(const Row& row) override {
    const void* key = row.value != nullptr ? join_.select_key(row) : nullptr;
    if (row.value == nullptr || (key == nullptr && !join_.left)) {
      drop();
      return {};
    }
    Found found;
    if (key != nullptr) {
      MUIR_RETURN_IF_ERROR(table_.seek(key));
      found = MUIR_TRY(table_.get());
    }
    return found.value == nullptr && !join_.left ? Status() : join_.apply(row, found.value, *this);
  }

 private:
  const TableSpec declared_;
  logical::GlobalJoin join_;
  TableBytes table_;
};

}  // namespace

NodeFactory table_node(TableSpec table) {
  return [table = std::move(table)] { return std::make_unique<TableNode>(table); };
}
NodeFactory table_filter_node(TableSpec table, Predicate keep) {
  return [table = std::move(table), keep = std::move(keep)] { return std::make_unique<TableFilterNode>(table, keep); };
}
NodeFactory table_map_node(TableSpec table, MapValue map, const ObjectType* out) {
  return
      [table = std::move(table), map = std::move(map), out] { return std::make_unique<TableMapNode>(table, map, out); };
}
NodeFactory table_join_node(NodeId table, bool left, JoinApply apply) {
  return [table, left, apply = std::move(apply)] { return std::make_unique<TableJoinNode>(table, left, apply); };
}
NodeFactory global_join_node(TableSpec table, logical::GlobalJoin join) {
  return [table = std::move(table), join = std::move(join)] { return std::make_unique<GlobalJoinNode>(table, join); };
}

}  // namespace muir::streams::internal
