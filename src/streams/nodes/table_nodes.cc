// Nodes of tables, and joins with them.
#include "streams/nodes/cached_context.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

// A table that may have a store of its own. The last offset wins, not the last timestamp, as in Kafka Streams, unless
// the store is versioned.
class KeptTable : public Node {
 public:
  explicit KeptTable(TableSpec table) : declared_(std::move(table)) {}

  Status init() override {
    if (declared_.store.empty()) return {};
    table_ = MUIR_TRY(open_table(task(), declared_));
    found_ = MUIR_TRY(open_table(task(), declared_));
    return cached_.attach(*this, declared_);
  }
  Result<Found> look_up(const void* key, int64_t as_of_ms) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get(as_of_ms);
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
    const TableBytes::Kept kept = MUIR_TRY(table_.put(value, row.timestamp_ms));
    if (cached_.attached() || kept == TableBytes::Kept::nothing) return {};
    return forward({row.key, value, row.timestamp_ms, row.headers, old.value, kept == TableBytes::Kept::latest});
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
  TableFilterNode(TableSpec table, Predicate keep, bool versioned)
      : KeptTable(std::move(table)), keep_(std::move(keep)), versioned_(versioned) {}
  Status process(const Row& row) override {
    const void* now = row.value != nullptr && keep_(row) ? row.value : nullptr;
    if (stored()) {
      const Found old = MUIR_TRY(seek(row, declared_.tells_old));
      return tells_nothing(now, old.value) ? Status() : keep(row, now, old);
    }
    const bool was_kept = row.old_value != nullptr && keep_(row.with_value(row.old_value));
    const void* before = was_kept ? row.old_value : nullptr;
    if (tells_nothing(now, before)) return {};
    return forward({row.key, now, row.timestamp_ms, row.headers, before, row.is_latest});
  }
  Result<Found> look_up(const void* key, int64_t as_of_ms) override {
    if (stored()) return KeptTable::look_up(key, as_of_ms);
    const Found found = MUIR_TRY(parent_of(*this)->look_up(key, as_of_ms));
    if (found.value == nullptr || !keep_({key, found.value, found.timestamp_ms})) return Found{};
    return found;
  }

 private:
  // Without old values nobody knows whether the key was there: its deletion is told all the same. That of a version may
  // be news even when there was none at the time of the latest one.
  [[nodiscard]] bool tells_nothing(const void* now, const void* before) const {
    return !versioned_ && declared_.tells_old && now == nullptr && before == nullptr;
  }

  Predicate keep_;
  const bool versioned_;  // the table before it
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
    const void* before = row.old_value != nullptr ? old_.get() : nullptr;
    return forward({row.key, now, row.timestamp_ms, row.headers, before, row.is_latest});
  }
  Result<Found> look_up(const void* key, int64_t as_of_ms) override {
    if (stored()) return KeptTable::look_up(key, as_of_ms);
    const Found found = MUIR_TRY(parent_of(*this)->look_up(key, as_of_ms));
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
  explicit TableJoinNode(JoinedTable joined) : joined_(std::move(joined)) {}
  Status init() override {
    looked_up_ = task().nodes.at(joined_.table);
    return {};
  }
  Status process(const Row& row) override {
    if (row.value == nullptr || (row.key == nullptr && !joined_.left)) {
      drop();
      return {};
    }
    return join_with_table(joined_, *looked_up_, row, *this);
  }

 private:
  JoinedTable joined_;
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

Status join_with_table(JoinedTable& joined, Node& table, const Row& row, Downstream& down) {
  Node::Found found;
  if (row.key != nullptr) found = MUIR_TRY(table.look_up(row.key, joined.versioned ? row.timestamp_ms : Node::kNow));
  return found.value == nullptr && !joined.left ? Status() : joined.apply(row, found.value, down);
}

NodeFactory table_node(TableSpec table) {
  return [table = std::move(table)] { return std::make_unique<TableNode>(table); };
}
NodeFactory table_filter_node(TableSpec table, Predicate keep, bool versioned) {
  return [table = std::move(table), keep = std::move(keep), versioned] {
    return std::make_unique<TableFilterNode>(table, keep, versioned);
  };
}
NodeFactory table_map_node(TableSpec table, MapValue map, const ObjectType* out) {
  return
      [table = std::move(table), map = std::move(map), out] { return std::make_unique<TableMapNode>(table, map, out); };
}
NodeFactory table_join_node(JoinedTable joined) {
  return [joined = std::move(joined)] { return std::make_unique<TableJoinNode>(joined); };
}
NodeFactory global_join_node(TableSpec table, logical::GlobalJoin join) {
  return [table = std::move(table), join = std::move(join)] { return std::make_unique<GlobalJoinNode>(table, join); };
}

}  // namespace muir::streams::internal
