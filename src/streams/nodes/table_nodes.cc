// Nodes of tables, and joins with them.
#include "streams/nodes/cached_context.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

class TableNode final : public Node {
 public:
  explicit TableNode(TableSpec table) : declared_(std::move(table)) {}

  Status init() override {
    if (declared_.store.empty()) return {};
    table_ = MUIR_TRY(open_table(task(), declared_));
    found_ = MUIR_TRY(open_table(task(), declared_));
    return cached_.attach(*this, declared_);
  }
  Status process(const Row& row) override {
    if (row.key == nullptr) {
      drop();
      return {};
    }
    if (table_) {
      const RowHeaders headers(task(), row.headers);
      // The last offset wins, not the last timestamp, as in Kafka Streams.
      MUIR_RETURN_IF_ERROR(table_.seek(row.key));
      if (cached_.attached()) return table_.put(row.value, row.timestamp_ms);
      const Found old = declared_.tells_old ? MUIR_TRY(table_.get()) : Found{};
      MUIR_RETURN_IF_ERROR(table_.put(row.value, row.timestamp_ms));
      return forward({row.key, row.value, row.timestamp_ms, row.headers, old.value});
    }
    return forward(row);
  }
  Result<Found> look_up(const void* key) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get();
  }

 private:
  const TableSpec declared_;
  TableBytes table_;
  CachedTable cached_;
  TableBytes found_;  // buffers of its own: a look-up may come while a row is being forwarded
};

// The table that a table operator reads.
Node* parent_of(const Node& node) { return node.task().nodes.at(node.spec().parents.front()); }

class TableFilterNode final : public Node {
 public:
  TableFilterNode(Predicate keep, bool tells_old) : keep_(std::move(keep)), tells_old_(tells_old) {}
  Status process(const Row& row) override {
    const bool kept = row.value != nullptr && keep_(row);
    const bool was_kept = row.old_value != nullptr && keep_(row.with_value(row.old_value));
    // Without old values nobody knows whether the key was there: its deletion is told all the same.
    if (tells_old_ && !kept && !was_kept) return {};
    return forward(
        {row.key, kept ? row.value : nullptr, row.timestamp_ms, row.headers, was_kept ? row.old_value : nullptr});
  }
  Result<Found> look_up(const void* key) override {
    const Found found = MUIR_TRY(parent_of(*this)->look_up(key));
    if (found.value == nullptr || !keep_({key, found.value, found.timestamp_ms})) return Found{};
    return found;
  }

 private:
  Predicate keep_;
  const bool tells_old_;
};

class TableMapNode final : public Node {
 public:
  TableMapNode(MapValue map, const ObjectType* out) : map_(std::move(map)), forwarded_(out), old_(out), found_(out) {}
  Status process(const Row& row) override {
    if (row.value != nullptr) map_(row, forwarded_.get());
    if (row.old_value != nullptr) map_(row.with_value(row.old_value), old_.get());
    return forward({row.key, row.value != nullptr ? forwarded_.get() : nullptr, row.timestamp_ms, row.headers,
                    row.old_value != nullptr ? old_.get() : nullptr});
  }
  Result<Found> look_up(const void* key) override {
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
NodeFactory table_filter_node(Predicate keep, bool tells_old) {
  return [keep = std::move(keep), tells_old] { return std::make_unique<TableFilterNode>(keep, tells_old); };
}
NodeFactory table_map_node(MapValue map, const ObjectType* out) {
  return [map = std::move(map), out] { return std::make_unique<TableMapNode>(map, out); };
}
NodeFactory table_join_node(NodeId table, bool left, JoinApply apply) {
  return [table, left, apply = std::move(apply)] { return std::make_unique<TableJoinNode>(table, left, apply); };
}
NodeFactory global_join_node(TableSpec table, logical::GlobalJoin join) {
  return [table = std::move(table), join = std::move(join)] { return std::make_unique<GlobalJoinNode>(table, join); };
}

}  // namespace muir::streams::internal
