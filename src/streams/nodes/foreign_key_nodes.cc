// A join of a table's rows with those of another table that they name by a foreign key. A row sends a subscription to
// where the other row is; that one's side answers at once and whenever the other row changes; back at the row, an
// answer to what the row no longer is, is dropped.
#include <algorithm>

#include "store/key_value_store.h"
#include "streams/nodes/foreign_key_wire.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {
namespace {

// What the nodes have in common: objects and bytes of both tables' keys and values. Serdes are told topics of their own
// for what never is a record's key or value, as Kafka Streams tells them.
class ForeignKeyNode : public Node {
 public:
  explicit ForeignKeyNode(ForeignKeyTables tables) : tables_(std::move(tables)) {}

  Status init() override {
    registration_ = task().topic_name(tables_.registration_topic, true);
    if (!tables_.subscriptions.empty())
      subscriptions_ = MUIR_TRY(task().store<store::KeyValueStore>(tables_.subscriptions));
    return {};
  }

 protected:
  // Of the tables, with the application's serdes.
  [[nodiscard]] const TypedPair& left() const { return spec().serdes[0]; }
  [[nodiscard]] const TypedPair& right() const { return spec().serdes[1]; }
  static Status encode(const TypedSerde& type, const std::string& topic, const void* object, Bytes& out) {
    out.clear();
    return type.serde->serialize(topic, object, out);
  }
  Status encode_foreign_key(const void* key, Bytes& out) {
    return encode(right().key, registration_ + "-fk", key, out);
  }
  Status encode_primary_key(const void* key, Bytes& out) { return encode(left().key, registration_ + "-pk", key, out); }
  Status decode_primary_key(BytesView bytes, ErasedObject& out) {
    return left().key.serde->deserialize(registration_ + "-pk", bytes, out.get());
  }
  Result<std::optional<Hash128>> hash_of(const void* value) {
    if (value == nullptr) return std::optional<Hash128>();
    MUIR_RETURN_IF_ERROR(encode(left().value, registration_ + "-vh", value, hashed_));
    return std::optional(murmur3_128(hashed_));
  }

  const ForeignKeyTables tables_;
  std::string registration_;
  store::KeyValueStore* subscriptions_ = nullptr;

 private:
  Bytes hashed_;
};

// At the left table: tells the other side what a row asks for.
class SubscribeNode final : public ForeignKeyNode {
 public:
  explicit SubscribeNode(ForeignKeyTables tables)
      : ForeignKeyNode(std::move(tables)), old_key_(tables_.right.key.type), new_key_(tables_.right.key.type) {}

  Status process(const Row& row) override {
    if (tables_.left_versioned && !row.is_latest) {
      drop();
      return {};
    }
    if (row.value == nullptr && row.old_value == nullptr) return {};
    const void* before = MUIR_TRY(foreign_key(row, row.old_value, old_key_, old_bytes_));
    const void* now = MUIR_TRY(foreign_key(row, row.value, new_key_, new_bytes_));
    const bool moves = before != nullptr && (now == nullptr || old_bytes_ != new_bytes_);
    if (tables_.join.left) {
      if (moves) MUIR_RETURN_IF_ERROR(send(row, before, Instruction::unsubscribe));
      return send(row, now, Instruction::answer);
    }
    if (now == nullptr) {
      if (row.value != nullptr) drop();
      return before == nullptr ? Status() : send(row, before, Instruction::unsubscribe_and_answer);
    }
    if (!moves) return send(row, now, Instruction::answer_if_found);
    MUIR_RETURN_IF_ERROR(send(row, before, Instruction::unsubscribe));
    return send(row, now, Instruction::answer);
  }

 private:
  // What a value names; null: nothing. Keys are the same when their bytes are.
  Result<const void*> foreign_key(const Row& row, const void* value, ErasedObject& key, Bytes& bytes) {
    bytes.clear();
    const void* found = value == nullptr ? nullptr : tables_.join.foreign_key(row.with_value(value));
    if (found == nullptr) return static_cast<const void*>(nullptr);
    key.assign(found);
    MUIR_RETURN_IF_ERROR(encode_foreign_key(key.get(), bytes));
    return static_cast<const void*>(key.get());
  }
  Status send(const Row& row, const void* foreign_key, Instruction instruction) {
    MUIR_RETURN_IF_ERROR(encode_primary_key(row.key, primary_key_));
    letter_.bytes.clear();
    append_subscription({.instruction = instruction,
                         .hash = MUIR_TRY(hash_of(row.value)),
                         .primary_key = primary_key_,
                         .partition = task().environment.task.partition.value()},
                        letter_.bytes);
    return forward({foreign_key, &letter_, row.timestamp_ms, row.headers});
  }

  ErasedObject old_key_;
  ErasedObject new_key_;
  Bytes old_bytes_;
  Bytes new_bytes_;
  Bytes primary_key_;
  Letter letter_;
};

// At the right table: keeps subscriptions.
class KeepSubscriptionNode final : public ForeignKeyNode {
 public:
  using ForeignKeyNode::ForeignKeyNode;
  Status process(const Row& row) override {
    const auto& letter = *static_cast<const Letter*>(row.value);
    const Subscription subscription = MUIR_TRY(parse_subscription(letter.bytes));
    if (row.key == nullptr) {
      if (subscription.instruction == Instruction::answer) return forward(row);
      drop();
      return {};
    }
    MUIR_RETURN_IF_ERROR(encode_foreign_key(row.key, foreign_key_));
    combined_.clear();
    append_combined_prefix(foreign_key_, combined_);
    combined_ += subscription.primary_key;
    const bool ends = subscription.instruction == Instruction::unsubscribe ||
                      subscription.instruction == Instruction::unsubscribe_and_answer;
    MUIR_RETURN_IF_ERROR(
        subscriptions_->put(combined_, ends ? OptBytesView() : OptBytesView(letter.bytes), row.timestamp_ms));
    return forward(row);
  }

 private:
  Bytes foreign_key_;
  Bytes combined_;
};

// Answers of the right table's side, under the keys of the rows that wait for them.
class AnsweringNode : public ForeignKeyNode {
 public:
  explicit AnsweringNode(ForeignKeyTables tables)
      : ForeignKeyNode(std::move(tables)), primary_key_(tables_.left.key.type) {}

 protected:
  // The value's bytes are as on the topic that they go to.
  Status encode_value(const void* value) {
    has_value_ = value != nullptr;
    if (!has_value_) return {};
    return encode(right().value, task().topic_name(tables_.response_topic, true), value, value_);
  }
  Status answer(const Row& row, const Subscription& to, int64_t timestamp_ms) {
    MUIR_RETURN_IF_ERROR(decode_primary_key(to.primary_key, primary_key_));
    letter_.bytes.clear();
    append_answer({.hash = to.hash, .value = has_value_ ? OptBytesView(value_) : OptBytesView()}, letter_.bytes);
    letter_.partition = to.partition.value_or(-1);
    return forward({primary_key_.get(), &letter_, timestamp_ms, row.headers});
  }

 private:
  ErasedObject primary_key_;
  Bytes value_;
  bool has_value_ = false;
  Letter letter_;
};

// To a new subscription.
class AnswerNode final : public AnsweringNode {
 public:
  using AnsweringNode::AnsweringNode;
  Status process(const Row& row) override {
    const Subscription to = MUIR_TRY(parse_subscription(static_cast<const Letter*>(row.value)->bytes));
    if (to.instruction == Instruction::unsubscribe) return {};
    Found found;
    if (row.key != nullptr) found = MUIR_TRY(task().nodes.at(tables_.right_node)->look_up(row.key));
    if (found.value == nullptr && to.instruction == Instruction::answer_if_found) return {};
    const int64_t timestamp_ms =
        found.value == nullptr ? row.timestamp_ms : std::max(row.timestamp_ms, found.timestamp_ms);
    MUIR_RETURN_IF_ERROR(encode_value(to.instruction == Instruction::unsubscribe_and_answer ? nullptr : found.value));
    return answer(row, to, timestamp_ms);
  }
};

// To all that are subscribed, when a row of the right table changes.
class AnswerAllNode final : public AnsweringNode {
 public:
  using AnsweringNode::AnsweringNode;
  Status process(const Row& row) override {
    if (row.key == nullptr || (tables_.right_versioned && !row.is_latest)) {
      drop();
      return {};
    }
    MUIR_RETURN_IF_ERROR(encode_foreign_key(row.key, foreign_key_));
    prefix_.clear();
    append_combined_prefix(foreign_key_, prefix_);
    MUIR_RETURN_IF_ERROR(encode_value(row.value));
    const auto rows = MUIR_TRY(subscriptions_->prefix_scan(prefix_));
    while (rows->next()) {
      const Subscription to = MUIR_TRY(parse_subscription(rows->value()));
      MUIR_RETURN_IF_ERROR(answer(row, to, row.timestamp_ms));
    }
    return rows->status();
  }

 private:
  Bytes foreign_key_;
  Bytes prefix_;
};

// Back at the left table: joins the row with what the answer brought.
class ResolveNode final : public ForeignKeyNode {
 public:
  explicit ResolveNode(ForeignKeyTables tables)
      : ForeignKeyNode(std::move(tables)), right_(tables_.right.value.type), joined_(tables_.out) {}

  Status process(const Row& row) override {
    const Answer answer = MUIR_TRY(parse_answer(static_cast<const Letter*>(row.value)->bytes));
    const Found left = MUIR_TRY(task().nodes.at(tables_.left_node)->look_up(row.key));
    if (MUIR_TRY(hash_of(left.value)) != answer.hash) {
      drop();
      return {};
    }
    if (left.value == nullptr || (!answer.value && !tables_.join.left)) return forward(row.with_value(nullptr));
    if (answer.value) {
      const std::string topic = task().topic_name(tables_.response_topic, true);
      MUIR_RETURN_IF_ERROR(right().value.serde->deserialize(topic, *answer.value, right_.get()));
    }
    const void* right = answer.value ? right_.get() : nullptr;
    if (!tables_.join.join(row.key, left.value, right, joined_.get())) {
      drop();
      return {};
    }
    return forward(row.with_value(joined_.get()));
  }

 private:
  ErasedObject right_;
  ErasedObject joined_;
};

template <class N>
NodeFactory factory(ForeignKeyTables tables) {
  return [tables = std::move(tables)] { return std::make_unique<N>(tables); };
}

}  // namespace

NodeFactory subscribe_node(ForeignKeyTables tables) { return factory<SubscribeNode>(std::move(tables)); }
NodeFactory keep_subscription_node(ForeignKeyTables tables) { return factory<KeepSubscriptionNode>(std::move(tables)); }
NodeFactory answer_node(ForeignKeyTables tables) { return factory<AnswerNode>(std::move(tables)); }
NodeFactory answer_all_node(ForeignKeyTables tables) { return factory<AnswerAllNode>(std::move(tables)); }
NodeFactory resolve_node(ForeignKeyTables tables) { return factory<ResolveNode>(std::move(tables)); }

}  // namespace muir::streams::internal
