// Joins of two streams in windows (Kafka Streams' KStreamKStreamJoin with KIP-633's fix for results that were none):
// a node for each side keeps what comes, another one joins it with what is kept of the other side. In left and outer
// joins a record without partner waits until none can come any more.
#include <algorithm>

#include "store/window_store.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/task_context.h"
#include "streams/nodes/unmatched_records.h"

namespace muir::streams::internal {
namespace {

using logical::JoinKind;

class StreamWindowNode final : public Node {
 public:
  explicit StreamWindowNode(TableSpec store) : declared_(std::move(store)) {}

  Status init() override {
    store_ = MUIR_TRY(task().store<store::WindowStore>(declared_.store));
    topic_ = task().store_topic(declared_.store);
    types_ = &task().store_types(declared_.store);
    return {};
  }
  // Joined first: in a join of a stream with itself a record does not meet itself from both sides at once.
  Status process(const Row& row) override {
    MUIR_RETURN_IF_ERROR(forward(row));
    if (row.key == nullptr) return {};
    key_.clear();
    value_.clear();
    MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(topic_, row.key, key_));
    if (row.value == nullptr) return store_->put(key_, std::nullopt, row.timestamp_ms, row.timestamp_ms);
    MUIR_RETURN_IF_ERROR(types_->value.serde->serialize(topic_, row.value, value_));
    return store_->put(key_, value_, row.timestamp_ms, row.timestamp_ms);
  }

 private:
  const TableSpec declared_;
  store::WindowStore* store_ = nullptr;
  const TypedPair* types_ = nullptr;  // of the store
  std::string topic_;
  Bytes key_;
  Bytes value_;
};

class StreamJoinSideNode final : public Node {
 public:
  StreamJoinSideNode(JoinedStreams streams, std::optional<NodeId> left)
      : streams_(std::move(streams)),
        left_node_(left),
        is_left_(!left),
        own_(is_left_ ? streams_.left : streams_.right),
        other_(is_left_ ? streams_.right : streams_.left),
        outer_(streams_.join.kind == JoinKind::outer || (streams_.join.kind == JoinKind::left && is_left_)),
        found_(other_.value),
        told_key_(own_.key),
        told_left_(streams_.left.value),
        told_right_(streams_.right.value),
        out_(streams_.out) {}

  Status init() override {
    shared_ = is_left_ ? &own_shared_ : &static_cast<StreamJoinSideNode*>(task().nodes.at(*left_node_))->own_shared_;
    kept_ = MUIR_TRY(task().store<store::WindowStore>(other_.store));
    topic_ = task().store_topic(other_.store);
    own_types_ = &task().store_types(own_.store);
    other_types_ = &task().store_types(other_.store);
    if (streams_.unmatched.empty()) return {};
    unmatched_topic_ = task().store_topic(streams_.unmatched);
    if (is_left_) {
      own_shared_.unmatched = UnmatchedRecords(*MUIR_TRY(task().store<store::KeyValueStore>(streams_.unmatched)));
    }
    return {};
  }

  Status process(const Row& row) override {
    shared_->stream_time_ms = std::max(shared_->stream_time_ms, row.timestamp_ms);
    if (outer_ && row.key == nullptr && row.value != nullptr) return tell_alone(row);
    if (row.key == nullptr || row.value == nullptr) {
      drop();
      return {};
    }
    if (row.timestamp_ms == shared_->stream_time_ms) MUIR_RETURN_IF_ERROR(tell_unmatched(row));
    key_.clear();
    MUIR_RETURN_IF_ERROR(own_types_->key.serde->serialize(topic_, row.key, key_));
    if (waits()) {
      unmatched_key_.clear();
      MUIR_RETURN_IF_ERROR(own_types_->key.serde->serialize(unmatched_topic_, row.key, unmatched_key_));
    }
    if (MUIR_TRY(join_with_kept(row)) || !outer_) return {};
    return wait_for_partner(row);
  }

 private:
  // Of both sides of one task.
  struct Shared {
    int64_t stream_time_ms = -1;  // unset again after a restart, as in Kafka
    UnmatchedRecords unmatched;
  };

  [[nodiscard]] bool waits() const { return !streams_.unmatched.empty(); }
  [[nodiscard]] int64_t before_ms() const {
    return (is_left_ ? streams_.join.windows.before : streams_.join.windows.after).count();
  }
  [[nodiscard]] int64_t after_ms(bool left) const {
    return (left ? streams_.join.windows.after : streams_.join.windows.before).count();
  }

  // Whether there was a partner.
  Result<bool> join_with_kept(const Row& row) {
    const int64_t from_ms = std::max<int64_t>(0, row.timestamp_ms - before_ms());
    const int64_t to_ms = std::max<int64_t>(0, row.timestamp_ms + after_ms(is_left_));
    const auto rows = MUIR_TRY(kept_->fetch(key_, from_ms, to_ms));
    bool any = false;
    while (rows->next()) {
      any = true;
      const int64_t met_ms = rows->window_start_ms();
      if (waits()) {
        MUIR_RETURN_IF_ERROR(shared_->unmatched.matched(
            {.timestamp_ms = met_ms, .left = !is_left_, .key = unmatched_key_}, row.timestamp_ms));
      }
      MUIR_RETURN_IF_ERROR(other_types_->value.serde->deserialize(topic_, rows->value(), found_.get()));
      Row at = row;
      at.timestamp_ms = std::max(row.timestamp_ms, met_ms);
      MUIR_RETURN_IF_ERROR(is_left_ ? tell(at, row.key, row.value, found_.get())
                                    : tell(at, row.key, found_.get(), row.value));
    }
    MUIR_RETURN_IF_ERROR(rows->status());
    return any;
  }

  // Grace does not count here: a record whose partners have passed is told at once, as in Kafka Streams.
  Status wait_for_partner(const Row& row) {
    if (std::max<int64_t>(0, row.timestamp_ms + after_ms(is_left_)) < shared_->stream_time_ms) {
      return tell_alone(row);
    }
    value_.clear();
    MUIR_RETURN_IF_ERROR(own_types_->value.serde->serialize(unmatched_topic_, row.value, value_));
    return shared_->unmatched.add({.timestamp_ms = row.timestamp_ms, .left = is_left_, .key = unmatched_key_}, value_,
                                  row.timestamp_ms);
  }

  // Those that nobody can meet any more, at their own times.
  Status tell_unmatched(const Row& row) {
    if (!waits()) return {};
    const int64_t grace_ms = streams_.join.windows.grace_ms();
    const auto open = [&](int64_t time_ms, bool left) {
      const int64_t end_ms = after_ms(left) + grace_ms;
      return time_ms > INT64_MAX - end_ms || time_ms + end_ms >= shared_->stream_time_ms;
    };
    if (open(shared_->unmatched.oldest_ms(), is_left_)) return {};
    return shared_->unmatched.expire(
        [&](const UnmatchedKey& key) { return !open(key.timestamp_ms, key.left); },
        [&](const UnmatchedKey& key, BytesView value) {
          ErasedObject& own = key.left ? told_left_ : told_right_;
          const TypedPair& of = key.left == is_left_ ? *own_types_ : *other_types_;
          MUIR_RETURN_IF_ERROR(of.key.serde->deserialize(unmatched_topic_, key.key, told_key_.get()));
          MUIR_RETURN_IF_ERROR(of.value.serde->deserialize(unmatched_topic_, value, own.get()));
          Row at = row;
          at.timestamp_ms = key.timestamp_ms;
          return key.left ? tell(at, told_key_.get(), own.get(), nullptr)
                          : tell(at, told_key_.get(), nullptr, own.get());
        },
        row.timestamp_ms);
  }

  Status tell_alone(const Row& row) {
    return is_left_ ? tell(row, row.key, row.value, nullptr) : tell(row, row.key, nullptr, row.value);
  }
  Status tell(const Row& at, const void* key, const void* left, const void* right) {
    if (!streams_.join.join(key, left, right, out_.get())) {
      drop();
      return {};
    }
    return forward({key, out_.get(), at.timestamp_ms, at.headers});
  }

  JoinedStreams streams_;
  const std::optional<NodeId> left_node_;  // of the right side
  const bool is_left_;
  const TableSpec own_;
  const TableSpec other_;
  const bool outer_;   // tells what has no partner
  Shared own_shared_;  // the left side's serves both
  Shared* shared_ = nullptr;
  const TypedPair* own_types_ = nullptr;  // of the stores
  const TypedPair* other_types_ = nullptr;
  store::WindowStore* kept_ = nullptr;  // of the other side
  std::string topic_;
  std::string unmatched_topic_;
  // Reused from record to record.
  Bytes key_;
  Bytes value_;
  Bytes unmatched_key_;
  ErasedObject found_;
  ErasedObject told_key_;
  ErasedObject told_left_;
  ErasedObject told_right_;
  ErasedObject out_;
};

}  // namespace

NodeFactory stream_window_node(TableSpec store) {
  return [store = std::move(store)] { return std::make_unique<StreamWindowNode>(store); };
}
NodeFactory stream_join_side_node(JoinedStreams streams, std::optional<NodeId> left) {
  return [streams = std::move(streams), left] { return std::make_unique<StreamJoinSideNode>(streams, left); };
}

}  // namespace muir::streams::internal
