// Aggregations by key, and by key and window.
#include <algorithm>
#include <tuple>

#include "streams/internal/operators.h"
#include "streams/internal/table_bytes.h"
#include "streams/internal/task_context.h"

namespace muir::streams::internal {
namespace {

// A new aggregate's old value is what it starts from, as in Kafka Streams. False when there is none.
bool keep_old(const AggregateSpec& aggregate, const void* stored, ErasedObject& old) {
  if (stored == nullptr && !aggregate.initial) return false;
  if (stored != nullptr) {
    old.assign(stored);
  } else {
    aggregate.initial(old.get());
  }
  return true;
}

class AggregateNode final : public Node {
 public:
  explicit AggregateNode(AggregateSpec aggregate) : aggregate_(std::move(aggregate)) {}

  Status init() override {
    auto& store = *MUIR_TRY(task().key_value_store(aggregate_.store));
    const std::string topic = task().store_topic(aggregate_.store);
    table_ = TableBytes(store, aggregate_.types, topic);
    found_ = TableBytes(store, aggregate_.types, topic);
    old_ = ErasedObject(aggregate_.types.value.type);
    return {};
  }
  Status process(const Row& row) override {
    if (row.key == nullptr || row.value == nullptr) {
      drop();
      return {};
    }
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    const Found old = MUIR_TRY(table_.get());
    const bool tells_old = spec().sends_old_values && keep_old(aggregate_, old.value, old_);
    if (!aggregate_.apply(row, old.value != nullptr, table_.object())) {
      drop();
      return {};
    }
    const int64_t timestamp_ms = old.value != nullptr ? std::max(old.timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
    MUIR_RETURN_IF_ERROR(table_.put(table_.object(), timestamp_ms));
    return forward({row.key, table_.object(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr});
  }
  Result<Found> look_up(const void* key) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get();
  }

 private:
  AggregateSpec aggregate_;
  TableBytes table_;
  ErasedObject old_;
  TableBytes found_;  // buffers of its own: a look-up may come while an aggregate is being forwarded
};

// Takes a change's old value out of the aggregate of its group, and puts the new one in.
class TableAggregateNode final : public Node {
 public:
  explicit TableAggregateNode(TableAggregateSpec spec) : aggregate_(std::move(spec)) {}

  Status init() override {
    auto& store = *MUIR_TRY(task().key_value_store(aggregate_.store));
    const std::string topic = task().store_topic(aggregate_.store);
    table_ = TableBytes(store, aggregate_.types, topic);
    found_ = TableBytes(store, aggregate_.types, topic);
    old_ = ErasedObject(aggregate_.types.value.type);
    return {};
  }
  Status process(const Row& row) override {
    if (row.key == nullptr) return error(Code::invalid_argument, "{}: a change without key", spec().name);
    MUIR_RETURN_IF_ERROR(table_.seek(row.key));
    const Found stored = MUIR_TRY(table_.get());
    const bool present = stored.value != nullptr;
    if (!present && row.value == nullptr) return forward({row.key, nullptr, row.timestamp_ms, row.headers});
    const bool tells_old = spec().sends_old_values && present;
    if (tells_old) old_.assign(stored.value);
    if (present && row.old_value != nullptr) aggregate_.subtract(row.with_value(row.old_value), true, table_.object());
    if (row.value != nullptr) aggregate_.add(row, present, table_.object());
    const int64_t timestamp_ms = present ? std::max(stored.timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
    MUIR_RETURN_IF_ERROR(table_.put(table_.object(), timestamp_ms));
    return forward({row.key, table_.object(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr});
  }
  Result<Found> look_up(const void* key) override {
    MUIR_RETURN_IF_ERROR(found_.seek(key));
    return found_.get();
  }

 private:
  TableAggregateSpec aggregate_;
  TableBytes table_;
  ErasedObject old_;
  TableBytes found_;
};

class WindowAggregateNode final : public Node {
 public:
  explicit WindowAggregateNode(WindowAggregateSpec spec)
      : window_(std::move(spec)),
        size_ms_(window_.windows.size.count()),
        grace_ms_(window_.windows.grace.count()),
        value_(window_.aggregate.types.value.type),
        old_(window_.aggregate.types.value.type),
        windowed_key_(window_.windowed_key),
        emitted_key_(window_.aggregate.types.key.type) {}

  Status init() override {
    store_ = MUIR_TRY(task().window_store(window_.aggregate.store));
    topic_ = task().store_topic(window_.aggregate.store);
    return {};
  }

  Status process(const Row& row) override {
    if (row.key == nullptr) {
      drop();
      return {};
    }
    observed_ms_ = std::max(observed_ms_, row.timestamp_ms);
    const int64_t close_ms = observed_ms_ - grace_ms_;
    if (window_.windows.emit == EmitStrategy::on_window_close) MUIR_RETURN_IF_ERROR(emit_closed(close_ms, row));
    key_.clear();
    MUIR_RETURN_IF_ERROR(window_.aggregate.types.key.serde->serialize(topic_, row.key, key_));
    const int64_t advance_ms = window_.windows.advance_ms();
    for (int64_t start_ms = window_.windows.first_start(row.timestamp_ms); start_ms <= row.timestamp_ms;
         start_ms += advance_ms) {
      if (start_ms + size_ms_ <= close_ms) {
        drop();
        continue;
      }
      MUIR_RETURN_IF_ERROR(update(row, start_ms));
    }
    return {};
  }

  void save(std::map<std::string, int64_t>& metadata) const override {
    if (emitted_until_ms_) metadata[window_.aggregate.store] = *emitted_until_ms_;
  }
  void load(const std::map<std::string, int64_t>& metadata) override {
    const auto at = metadata.find(window_.aggregate.store);
    if (at != metadata.end()) emitted_until_ms_ = at->second;
  }

 private:
  Status update(const Row& row, int64_t start_ms) {
    const SharedSerde& serde = window_.aggregate.types.value.serde;
    const bool present = MUIR_TRY(store_->fetch(key_, start_ms, stored_));
    if (present) MUIR_RETURN_IF_ERROR(serde->deserialize(topic_, stored_.value, value_.get()));
    const bool tells_old =
        spec().sends_old_values && keep_old(window_.aggregate, present ? value_.get() : nullptr, old_);
    if (!present && row.value == nullptr && window_.aggregate.keeps_null) return keep_null(row, start_ms);
    if (!window_.aggregate.apply(row, present, value_.get())) {
      drop();
      return {};
    }
    const int64_t timestamp_ms = present ? std::max(stored_.timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
    encoded_.clear();
    MUIR_RETURN_IF_ERROR(serde->serialize(topic_, value_.get(), encoded_));
    MUIR_RETURN_IF_ERROR(store_->put(key_, encoded_, start_ms, timestamp_ms));
    if (window_.windows.emit == EmitStrategy::on_window_close) return {};
    window_.windowed_ops->assign(windowed_key_.get(), row.key, {start_ms, start_ms + size_ms_});
    return forward({windowed_key_.get(), value_.get(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr});
  }

  // The first row of a window has no value, and so has the window.
  Status keep_null(const Row& row, int64_t start_ms) {
    MUIR_RETURN_IF_ERROR(store_->put(key_, std::nullopt, start_ms, row.timestamp_ms));
    if (window_.windows.emit == EmitStrategy::on_window_close) return {};
    window_.windowed_ops->assign(windowed_key_.get(), row.key, {start_ms, start_ms + size_ms_});
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
    const TypedPair& types = window_.aggregate.types;
    for (const Closed& closed : all) {
      MUIR_RETURN_IF_ERROR(types.key.serde->deserialize(topic_, closed.key, emitted_key_.get()));
      MUIR_RETURN_IF_ERROR(types.value.serde->deserialize(topic_, closed.value, value_.get()));
      window_.windowed_ops->assign(windowed_key_.get(), emitted_key_.get(),
                                   {closed.start_ms, closed.start_ms + size_ms_});
      MUIR_RETURN_IF_ERROR(forward({windowed_key_.get(), value_.get(), closed.timestamp_ms, row.headers}));
    }
    return {};
  }

  WindowAggregateSpec window_;
  const int64_t size_ms_;
  const int64_t grace_ms_;
  store::WindowStore* store_ = nullptr;
  std::string topic_;
  int64_t observed_ms_ = -1;  // the greatest timestamp this node has seen; unset again after a restart, as in Kafka
  std::optional<int64_t> emitted_until_ms_;
  // Reused from record to record.
  ErasedObject value_;
  ErasedObject old_;
  ErasedObject windowed_key_;
  ErasedObject emitted_key_;
  Bytes key_;
  Bytes encoded_;
  store::ValueAndTimestamp stored_;
};

}  // namespace

NodeFactory aggregate_node(AggregateSpec spec) {
  return [spec = std::move(spec)] { return std::make_unique<AggregateNode>(spec); };
}
NodeFactory table_aggregate_node(TableAggregateSpec spec) {
  return [spec = std::move(spec)] { return std::make_unique<TableAggregateNode>(spec); };
}
NodeFactory window_aggregate_node(WindowAggregateSpec spec) {
  return [spec = std::move(spec)] { return std::make_unique<WindowAggregateNode>(spec); };
}

}  // namespace muir::streams::internal
