// Holds the changes of a table back: until so much time has passed, or until their windows are closed.
#include <algorithm>

#include "streams/nodes/cached_context.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/suppress_buffer.h"

namespace muir::streams::internal {
namespace {

class SuppressNode final : public Node {
 public:
  SuppressNode(TableSpec table, logical::Suppress suppress, int64_t wait_ms)
      : declared_(std::move(table)),
        suppress_(std::move(suppress)),
        wait_ms_(wait_ms),
        key_(declared_.key),
        now_(declared_.value),
        before_(declared_.value),
        found_(declared_.value) {}

  Status init() override {
    buffer_ = MUIR_TRY(task().store<SuppressBuffer>(declared_.store));
    topic_ = task().store_topic(declared_.store);
    types_ = &task().store_types(declared_.store);
    parent_ = task().nodes.at(spec().parents.front());
    return {};
  }

  Status process(const Row& row) override {
    if (row.key == nullptr) {
      drop();
      return {};
    }
    observed_ms_ = std::max(observed_ms_, row.timestamp_ms);
    MUIR_RETURN_IF_ERROR(hold(row));
    while (!buffer_->empty() && buffer_->oldest_ms() <= observed_ms_ - wait_ms_) MUIR_RETURN_IF_ERROR(tell_oldest());
    if (!over_limits()) return {};
    if (!suppress_.emits_early) {
      return error(
          Code::resource_exhausted,
          "{}: its buffer is full: it holds {} records of at most {} and {} bytes of at most {}; raise its limits, "
          "shorten what it waits for, or let it emit early (WhenFull::emit_early)",
          spec().name, buffer_->records(), limit(suppress_.records_max), buffer_->bytes(), limit(suppress_.bytes_max));
    }
    while (over_limits()) MUIR_RETURN_IF_ERROR(tell_oldest());
    return {};
  }

  // Readers see what was told last: while a change is held back, what the key had before it.
  Result<Found> look_up(const void* key, int64_t) override {
    sought_.clear();
    MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(topic_, key, sought_));
    if (!buffer_->prior(sought_, prior_)) return parent_->look_up(key);
    if (!prior_) return Found{};
    MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, *prior_, found_.get()));
    return Found{found_.get(), -1};
  }

 private:
  static std::string limit(std::optional<int64_t> max) { return max ? std::to_string(*max) : "any"; }
  [[nodiscard]] bool over_limits() const {
    return (suppress_.records_max && buffer_->records() > *suppress_.records_max) ||
           (suppress_.bytes_max && buffer_->bytes() > *suppress_.bytes_max);
  }

  Status hold(const Row& row) {
    const TypedPair& types = *types_;
    encoded_key_.clear();
    MUIR_RETURN_IF_ERROR(types.key.serde->serialize(topic_, row.key, encoded_key_));
    const OptBytesView before = MUIR_TRY(encode(row.old_value, encoded_before_));
    const OptBytesView now = MUIR_TRY(encode(row.value, encoded_now_));
    context_.clear();
    append_buffered_context(context_of(task(), row), context_);
    // WindowedOps gives parts to be changed; here they are only read.
    const int64_t time_ms = suppress_.windowed == nullptr
                                ? row.timestamp_ms
                                : suppress_.windowed->window(const_cast<void*>(row.key))->end_ms;
    buffer_->put(encoded_key_, time_ms, before, now, context_);
    return {};
  }
  Result<OptBytesView> encode(const void* value, Bytes& out) {
    if (value == nullptr) return OptBytesView();
    out.clear();
    MUIR_RETURN_IF_ERROR(types_->value.serde->serialize(topic_, value, out));
    return OptBytesView(out);
  }

  // As it came: with its own time, headers and place.
  Status tell_oldest() {
    const SuppressBuffer::Held held = buffer_->oldest();
    // The last word on a window is never that there is nothing.
    if (held.now || suppress_.windowed == nullptr) MUIR_RETURN_IF_ERROR(tell(held));
    buffer_->erase_oldest();
    return {};
  }
  Status tell(const SuppressBuffer::Held& held) {
    const TypedPair& types = *types_;
    const BufferedContext context = MUIR_TRY(parse_buffered_context(held.context));
    MUIR_RETURN_IF_ERROR(types.key.serde->deserialize(topic_, held.key, key_.get()));
    if (held.now) MUIR_RETURN_IF_ERROR(types.value.serde->deserialize(topic_, *held.now, now_.get()));
    if (held.before) MUIR_RETURN_IF_ERROR(types.value.serde->deserialize(topic_, *held.before, before_.get()));
    const ResumedRecord record(task(), origin_of(context), context.timestamp_ms);
    return forward({key_.get(), held.now ? now_.get() : nullptr, context.timestamp_ms, context.headers,
                    held.before ? before_.get() : nullptr});
  }

  const TableSpec declared_;
  const logical::Suppress suppress_;
  const int64_t wait_ms_;
  SuppressBuffer* buffer_ = nullptr;
  const TypedPair* types_ = nullptr;  // of the store
  Node* parent_ = nullptr;
  std::string topic_;
  int64_t observed_ms_ = -1;  // the greatest timestamp this node has seen; unset again after a restart, as in Kafka
  // Reused from record to record.
  ErasedObject key_;
  ErasedObject now_;
  ErasedObject before_;
  Bytes encoded_key_;
  Bytes encoded_before_;
  Bytes encoded_now_;
  Bytes context_;
  // Of look-ups, which may come while a change is being forwarded.
  ErasedObject found_;
  Bytes sought_;
  OptBytes prior_;
};

}  // namespace

NodeFactory suppress_node(TableSpec table, logical::Suppress suppress, int64_t wait_ms) {
  return [table = std::move(table), suppress = std::move(suppress), wait_ms] {
    return std::make_unique<SuppressNode>(table, suppress, wait_ms);
  };
}

}  // namespace muir::streams::internal
