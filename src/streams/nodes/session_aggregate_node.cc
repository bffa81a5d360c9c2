// Aggregation by key and session: records at most a gap apart belong to one session, and a record between two sessions
// makes one of them.
#include <algorithm>
#include <tuple>

#include "store/session_store.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/table_bytes.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

class SessionAggregateNode final : public Node {
 public:
  SessionAggregateNode(TableSpec table, logical::Aggregate aggregate)
      : declared_(std::move(table)),
        aggregate_(std::move(aggregate)),
        ops_(aggregate_.windowed.ops),
        gap_ms_(aggregate_.sessions->gap.count()),
        grace_ms_(aggregate_.sessions->grace_ms()),
        emits_on_close_(aggregate_.sessions->emit == EmitStrategy::on_window_close),
        value_(declared_.value),
        other_(declared_.value),
        windowed_key_(aggregate_.windowed.type),
        emitted_key_(declared_.key),
        found_(declared_.value) {}

  Status init() override {
    store_ = MUIR_TRY(task().store<store::SessionStore>(declared_.store));
    topic_ = task().store_topic(declared_.store);
    types_ = &task().store_types(declared_.store);
    return {};
  }

  Status process(const Row& row) override {
    if (row.key == nullptr) {
      drop();
      return {};
    }
    observed_ms_ = std::max(observed_ms_, row.timestamp_ms);
    const int64_t close_ms = observed_ms_ - grace_ms_ - gap_ms_;
    if (emits_on_close_) MUIR_RETURN_IF_ERROR(emit_closed(close_ms, row));
    return update(row, close_ms);
  }

  Result<Found> look_up(const void* windowed_key, int64_t) override {
    sought_.clear();
    // WindowedOps gives parts to be changed; here they are only read.
    void* windowed = const_cast<void*>(windowed_key);
    const Window& window = *ops_->window(windowed);
    MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(topic_, ops_->key(windowed), sought_));
    if (!MUIR_TRY(store_->fetch(sought_, {window.start_ms, window.end_ms}, seen_))) return Found{};
    MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, seen_, found_.get()));
    return Found{found_.get(), window.end_ms};
  }

  void save(std::map<std::string, int64_t>& metadata) const override {
    if (emitted_until_ms_) metadata[declared_.store] = *emitted_until_ms_;
  }
  void load(const std::map<std::string, int64_t>& metadata) override {
    const auto at = metadata.find(declared_.store);
    if (at != metadata.end()) emitted_until_ms_ = at->second;
  }

 private:
  struct Session {
    store::SessionBounds bounds;
    Bytes value;
  };

  Status update(const Row& row, int64_t close_ms) {
    const SharedSerde& serde = types_->value.serde;
    key_.clear();
    MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(topic_, row.key, key_));
    MUIR_RETURN_IF_ERROR(find(row.timestamp_ms));
    store::SessionBounds merged{row.timestamp_ms, row.timestamp_ms};
    bool present = static_cast<bool>(aggregate_.initial);
    if (present) aggregate_.initial(value_.get());
    for (const Session& session : met_) {
      merged = {std::min(merged.start_ms, session.bounds.start_ms), std::max(merged.end_ms, session.bounds.end_ms)};
      MUIR_RETURN_IF_ERROR(serde->deserialize(topic_, session.value, other_.get()));
      if (present) {
        aggregate_.merge(row.key, value_.get(), other_.get());
      } else {
        value_.assign(other_.get());
      }
      present = true;
    }
    if (merged.end_ms < close_ms) {
      drop();
      return {};
    }
    const bool no_value = !present && row.value == nullptr && aggregate_.keeps_null;
    if (!no_value && !aggregate_.apply(row, present, value_.get())) {
      drop();
      return {};
    }
    // A record at the very time of a session that is one record is in it: there is nothing to take back.
    if (merged != store::SessionBounds{row.timestamp_ms, row.timestamp_ms}) MUIR_RETURN_IF_ERROR(take_back(row));
    return keep(row, merged, no_value ? nullptr : value_.get());
  }

  // Those that the record meets, as they are before any of them is taken back.
  Status find(int64_t timestamp_ms) {
    met_.clear();
    const int64_t latest_ms = timestamp_ms > INT64_MAX - gap_ms_ ? INT64_MAX : timestamp_ms + gap_ms_;
    const auto sessions = MUIR_TRY(store_->find(key_, std::max<int64_t>(0, timestamp_ms - gap_ms_), latest_ms));
    while (sessions->next()) met_.push_back({sessions->session(), Bytes(sessions->value())});
    return sessions->status();
  }

  Status take_back(const Row& row) {
    for (const Session& session : met_) {
      MUIR_RETURN_IF_ERROR(store_->put(key_, session.bounds, std::nullopt, row.timestamp_ms));
      if (emits_on_close_) continue;
      const void* before = nullptr;
      if (declared_.tells_old) {
        MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, session.value, other_.get()));
        before = other_.get();
      }
      MUIR_RETURN_IF_ERROR(tell(row.key, session.bounds, nullptr, before));
    }
    return {};
  }

  Status keep(const Row& row, store::SessionBounds session, const void* value) {
    if (value == nullptr) {
      MUIR_RETURN_IF_ERROR(store_->put(key_, session, std::nullopt, row.timestamp_ms));
    } else {
      encoded_.clear();
      MUIR_RETURN_IF_ERROR(types_->value.serde->serialize(topic_, value, encoded_));
      MUIR_RETURN_IF_ERROR(store_->put(key_, session, encoded_, row.timestamp_ms));
    }
    return emits_on_close_ ? Status() : tell(row.key, session, value, nullptr);
  }

  // At the session's end, and without headers, as Kafka Streams tells sessions.
  Status tell(const void* key, store::SessionBounds session, const void* value, const void* before) {
    ops_->assign(windowed_key_.get(), key, {session.start_ms, session.end_ms});
    return forward({windowed_key_.get(), value, session.end_ms, {}, before});
  }

  // Before the record's own session is written: the store may forget closed ones as soon as its time moves on, and what
  // the record may still change is never among those that it closes.
  Status emit_closed(int64_t close_ms, const Row& row) {
    if (emitted_until_ms_ && *emitted_until_ms_ >= close_ms) return {};
    const int64_t from_ms = std::max<int64_t>(0, emitted_until_ms_.value_or(0));
    emitted_until_ms_ = close_ms;
    if (close_ms - 1 < from_ms) return {};
    struct Closed {
      store::SessionBounds bounds;
      Bytes key;
      Bytes value;
    };
    std::vector<Closed> all;
    const auto sessions = MUIR_TRY(store_->ended(from_ms, close_ms - 1));
    while (sessions->next()) all.push_back({sessions->session(), Bytes(sessions->key()), Bytes(sessions->value())});
    MUIR_RETURN_IF_ERROR(sessions->status());
    std::sort(all.begin(), all.end(), [](const Closed& a, const Closed& b) {
      return std::tie(a.bounds.end_ms, a.bounds.start_ms, a.key) < std::tie(b.bounds.end_ms, b.bounds.start_ms, b.key);
    });
    for (const Closed& closed : all) {
      MUIR_RETURN_IF_ERROR(types_->key.serde->deserialize(topic_, closed.key, emitted_key_.get()));
      MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, closed.value, other_.get()));
      ops_->assign(windowed_key_.get(), emitted_key_.get(), {closed.bounds.start_ms, closed.bounds.end_ms});
      MUIR_RETURN_IF_ERROR(forward({windowed_key_.get(), other_.get(), closed.bounds.end_ms, row.headers}));
    }
    return {};
  }

  const TableSpec declared_;
  logical::Aggregate aggregate_;
  const WindowedOps* ops_;
  const int64_t gap_ms_;
  const int64_t grace_ms_;
  const bool emits_on_close_;
  store::SessionStore* store_ = nullptr;
  const TypedPair* types_ = nullptr;  // of the store
  std::string topic_;
  int64_t observed_ms_ = -1;  // the greatest timestamp this node has seen; unset again after a restart, as in Kafka
  std::optional<int64_t> emitted_until_ms_;
  // Reused from record to record.
  std::vector<Session> met_;
  ErasedObject value_;
  ErasedObject other_;
  ErasedObject windowed_key_;
  ErasedObject emitted_key_;
  Bytes key_;
  Bytes encoded_;
  // Of look-ups, which may come while a session is being forwarded.
  ErasedObject found_;
  Bytes sought_;
  Bytes seen_;
};

}  // namespace

NodeFactory session_aggregate_node(TableSpec table, logical::Aggregate aggregate) {
  return [table = std::move(table), aggregate = std::move(aggregate)] {
    return std::make_unique<SessionAggregateNode>(table, aggregate);
  };
}

}  // namespace muir::streams::internal
