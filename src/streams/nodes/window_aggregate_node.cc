// Aggregation by key and window, for windows of one size.
#include <algorithm>
#include <tuple>

#include "store/window_store.h"
#include "streams/nodes/cached_context.h"
#include "streams/nodes/cached_table.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

class WindowAggregateNode final : public Node {
 public:
  WindowAggregateNode(TableSpec table, logical::Aggregate aggregate)
      : declared_(std::move(table)),
        aggregate_(std::move(aggregate)),
        ops_(aggregate_.windowed.ops),
        size_ms_(aggregate_.windows->size_ms()),
        grace_ms_(aggregate_.windows->grace_ms()),
        emits_on_close_(aggregate_.windows->emit() == EmitStrategy::on_window_close),
        value_(declared_.value),
        old_(declared_.value),
        windowed_key_(aggregate_.windowed.type),
        emitted_key_(declared_.key),
        found_(declared_.value) {}

  Status init() override {
    store_ = MUIR_TRY(task().store<store::WindowStore>(declared_.store));
    topic_ = task().store_topic(declared_.store);
    types_ = &task().store_types(declared_.store);
    return cached_.attach(*this, declared_, {&aggregate_.windowed, size_ms_});
  }

  Status process(const Row& row) override {
    if (row.key == nullptr) {
      drop();
      return {};
    }
    const RowHeaders headers(task(), row.headers);
    observed_ms_ = std::max(observed_ms_, row.timestamp_ms);
    const int64_t close_ms = observed_ms_ - grace_ms_;
    if (emits_on_close_) MUIR_RETURN_IF_ERROR(emit_closed(close_ms, row));
    key_.clear();
    MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(topic_, row.key, key_));
    starts_ms_.clear();
    aggregate_.windows->starts(row.timestamp_ms, starts_ms_);
    for (const int64_t start_ms : starts_ms_) {
      if (start_ms + size_ms_ <= close_ms) {
        drop();
        continue;
      }
      MUIR_RETURN_IF_ERROR(update(row, start_ms));
    }
    return {};
  }

  Result<Found> look_up(const void* windowed_key) override {
    sought_.clear();
    // WindowedOps gives parts to be changed; here they are only read.
    void* windowed = const_cast<void*>(windowed_key);
    MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(topic_, ops_->key(windowed), sought_));
    const bool present = MUIR_TRY(store_->fetch(sought_, ops_->window(windowed)->start_ms, seen_));
    if (!present) return Found{};
    MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, seen_.value, found_.get()));
    return Found{found_.get(), seen_.timestamp_ms};
  }

  void save(std::map<std::string, int64_t>& metadata) const override {
    if (emitted_until_ms_) metadata[declared_.store] = *emitted_until_ms_;
  }
  void load(const std::map<std::string, int64_t>& metadata) override {
    const auto at = metadata.find(declared_.store);
    if (at != metadata.end()) emitted_until_ms_ = at->second;
  }

 private:
  Status update(const Row& row, int64_t start_ms) {
    const SharedSerde& serde = types_->value.serde;
    const bool present = MUIR_TRY(store_->fetch(key_, start_ms, stored_));
    if (present) MUIR_RETURN_IF_ERROR(serde->deserialize(topic_, stored_.value, value_.get()));
    const bool tells_old = declared_.tells_old && keep_old(aggregate_.initial, present ? value_.get() : nullptr, old_);
    if (!present && row.value == nullptr && aggregate_.keeps_null) return keep_null(row, start_ms);
    if (!aggregate_.apply(row, present, value_.get())) {
      drop();
      return {};
    }
    const int64_t timestamp_ms = present ? std::max(stored_.timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
    encoded_.clear();
    MUIR_RETURN_IF_ERROR(serde->serialize(topic_, value_.get(), encoded_));
    MUIR_RETURN_IF_ERROR(store_->put(key_, encoded_, start_ms, timestamp_ms));
    if (emits_on_close_ || cached_.attached()) return {};
    ops_->assign(windowed_key_.get(), row.key, {start_ms, start_ms + size_ms_});
    return forward({windowed_key_.get(), value_.get(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr});
  }

  // The first row of a window has no value, and so has the window.
  Status keep_null(const Row& row, int64_t start_ms) {
    MUIR_RETURN_IF_ERROR(store_->put(key_, std::nullopt, start_ms, row.timestamp_ms));
    if (emits_on_close_ || cached_.attached()) return {};
    ops_->assign(windowed_key_.get(), row.key, {start_ms, start_ms + size_ms_});
    return forward({windowed_key_.get(), nullptr, row.timestamp_ms, row.headers});
  }

  // Runs before the record's own windows are written: the store may drop closed windows as soon as its time moves on,
  // and the windows that a record may still change are never among those that it closes.
  Status emit_closed(int64_t close_ms, const Row& row) {
    if (emitted_until_ms_ && *emitted_until_ms_ >= close_ms) return {};
    const int64_t from_ms = emitted_until_ms_ ? std::max<int64_t>(0, *emitted_until_ms_ - size_ms_ + 1) : 0;
    const int64_t to_ms = close_ms - size_ms_;
    if (to_ms >= 0 && from_ms <= to_ms) MUIR_RETURN_IF_ERROR(emit_range(from_ms, to_ms, row));
    emitted_until_ms_ = close_ms;
    return {};
  }

  Status emit_range(int64_t from_ms, int64_t to_ms, const Row& row) {
    struct Closed {
      int64_t start_ms;
      Bytes key;
      Bytes value;
      int64_t timestamp_ms;
    };
    std::vector<Closed> all;
    const auto rows = MUIR_TRY(store_->fetch_range(std::nullopt, std::nullopt, from_ms, to_ms));
    while (rows->next()) {
      all.push_back({rows->window_start_ms(), Bytes(rows->key()), Bytes(rows->value()), rows->timestamp_ms()});
    }
    MUIR_RETURN_IF_ERROR(rows->status());
    std::sort(all.begin(), all.end(), [](const Closed& a, const Closed& b) {
      return std::tie(a.start_ms, a.key) < std::tie(b.start_ms, b.key);
    });
    for (const Closed& closed : all) {
      MUIR_RETURN_IF_ERROR(types_->key.serde->deserialize(topic_, closed.key, emitted_key_.get()));
      MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, closed.value, value_.get()));
      ops_->assign(windowed_key_.get(), emitted_key_.get(), {closed.start_ms, closed.start_ms + size_ms_});
      MUIR_RETURN_IF_ERROR(forward({windowed_key_.get(), value_.get(), closed.timestamp_ms, row.headers}));
    }
    return {};
  }

  const TableSpec declared_;
  logical::Aggregate aggregate_;
  const WindowedOps* ops_;
  const int64_t size_ms_;
  const int64_t grace_ms_;
  const bool emits_on_close_;
  store::WindowStore* store_ = nullptr;
  const TypedPair* types_ = nullptr;  // of the store
  CachedTable cached_;
  std::string topic_;
  int64_t observed_ms_ = -1;  // the greatest timestamp this node has seen; unset again after a restart, as in Kafka
  std::optional<int64_t> emitted_until_ms_;
  // Reused from record to record.
  std::vector<int64_t> starts_ms_;
  ErasedObject value_;
  ErasedObject old_;
  ErasedObject windowed_key_;
  ErasedObject emitted_key_;
  Bytes key_;
  Bytes encoded_;
  store::ValueAndTimestamp stored_;
  // Of look-ups, which may come while a window is being forwarded.
  ErasedObject found_;
  Bytes sought_;
  store::ValueAndTimestamp seen_;
};

}  // namespace

NodeFactory window_aggregate_node(TableSpec table, logical::Aggregate aggregate) {
  return [table = std::move(table), aggregate = std::move(aggregate)] {
    return std::make_unique<WindowAggregateNode>(table, aggregate);
  };
}

}  // namespace muir::streams::internal
