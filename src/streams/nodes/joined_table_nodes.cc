// Joins of two tables by their keys: a node for each side, and one that gathers what they yield.
#include <algorithm>

#include "streams/nodes/cached_context.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

using logical::JoinKind;

// Whether there is a row for these values of both tables.
bool has_row(JoinKind kind, const void* left, const void* right) {
  switch (kind) {
    case JoinKind::inner: return left != nullptr && right != nullptr;
    case JoinKind::left: return left != nullptr;
    case JoinKind::outer: return left != nullptr || right != nullptr;
  }
  return false;
}

class TableJoinSideNode final : public Node {
 public:
  TableJoinSideNode(JoinedTables tables, bool is_left)
      : tables_(std::move(tables)), is_left_(is_left), now_(tables_.out), before_(tables_.out) {}

  Status init() override {
    other_ = task().nodes.at(is_left_ ? tables_.right : tables_.left);
    return {};
  }
  Status process(const Row& row) override {
    if (row.key == nullptr || (drops_older() && !row.is_latest)) {
      drop();
      return {};
    }
    const Found other = MUIR_TRY(other_->look_up(row.key));
    if (nothing_changed(row, other.value)) return {};
    const void* now = joined(row.key, row.value, other.value, now_);
    const void* before = tables_.tells_old ? joined(row.key, row.old_value, other.value, before_) : nullptr;
    const int64_t timestamp_ms =
        other.value == nullptr ? row.timestamp_ms : std::max(row.timestamp_ms, other.timestamp_ms);
    return forward({row.key, now, timestamp_ms, row.headers, before});
  }

 private:
  // Results are of the latest versions (KIP-914).
  [[nodiscard]] bool drops_older() const { return is_left_ ? tables_.left_versioned : tables_.right_versioned; }
  // A deletion is told where there may have been a row, also by inner joins, which do not know what there was.
  [[nodiscard]] bool nothing_changed(const Row& row, const void* other) const {
    if (other != nullptr) return false;
    const bool needs_other = tables_.join.kind == JoinKind::inner || (tables_.join.kind == JoinKind::left && !is_left_);
    return needs_other || (row.value == nullptr && row.old_value == nullptr);
  }
  const void* joined(const void* key, const void* own, const void* other, ErasedObject& out) {
    const void* left = is_left_ ? own : other;
    const void* right = is_left_ ? other : own;
    if (!has_row(tables_.join.kind, left, right)) return nullptr;
    tables_.join.join(key, left, right, out.get());
    return out.get();
  }

  JoinedTables tables_;
  const bool is_left_;
  Node* other_ = nullptr;
  ErasedObject now_;
  ErasedObject before_;
};

class JoinedTableNode final : public Node {
 public:
  JoinedTableNode(TableSpec table, JoinedTables tables)
      : declared_(std::move(table)), tables_(std::move(tables)), joined_(tables_.out) {}

  Status init() override {
    left_ = task().nodes.at(tables_.left);
    right_ = task().nodes.at(tables_.right);
    if (declared_.store.empty()) return {};
    table_ = MUIR_TRY(open_table(task(), declared_));
    found_ = MUIR_TRY(open_table(task(), declared_));
    return cached_.attach(*this, declared_);
  }
  Status process(const Row& row) override {
    if (!table_) return forward(row);
    const RowHeaders headers(task(), row.headers);
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    const TableBytes::Kept kept = MUIR_TRY(table_.put(row.value, row.timestamp_ms));
    if (cached_.attached() || kept == TableBytes::Kept::nothing) return {};
    return forward(
        {row.key, row.value, row.timestamp_ms, row.headers, row.old_value, kept == TableBytes::Kept::latest});
  }
  Result<Found> look_up(const void* key, int64_t as_of_ms) override {
    if (found_) {
      MUIR_RETURN_IF_ERROR(found_.seek(key));
      return found_.get(as_of_ms);
    }
    const Found left = MUIR_TRY(left_->look_up(key));
    const Found right = MUIR_TRY(right_->look_up(key));
    if (!has_row(tables_.join.kind, left.value, right.value)) return Found{};
    tables_.join.join(key, left.value, right.value, joined_.get());
    return Found{joined_.get(), std::max(left.timestamp_ms, right.timestamp_ms)};
  }

 private:
  const TableSpec declared_;
  JoinedTables tables_;
  Node* left_ = nullptr;
  Node* right_ = nullptr;
  TableBytes table_;
  CachedTable cached_;
  TableBytes found_;  // buffers of its own: a look-up may come while a row is being forwarded
  ErasedObject joined_;
};

}  // namespace

NodeFactory table_join_side_node(JoinedTables tables, bool is_left) {
  return [tables = std::move(tables), is_left] { return std::make_unique<TableJoinSideNode>(tables, is_left); };
}
NodeFactory joined_table_node(TableSpec table, JoinedTables tables) {
  return [table = std::move(table), tables = std::move(tables)] {
    return std::make_unique<JoinedTableNode>(table, tables);
  };
}

}  // namespace muir::streams::internal
