// A join of a stream with a versioned table whose records wait for a time (KIP-923): what comes to the table meanwhile
// with an earlier timestamp is then there.
#include "streams/nodes/cached_context.h"
#include "streams/nodes/held_records.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/suppress_buffer.h"

namespace muir::streams::internal {
namespace {

class PatientJoinNode final : public Node {
 public:
  PatientJoinNode(JoinedTable joined, TableSpec buffer, int64_t grace_ms)
      : joined_(std::move(joined)),
        declared_(std::move(buffer)),
        grace_ms_(grace_ms),
        key_(declared_.key),
        value_(declared_.value) {}

  Status init() override {
    held_ = HeldRecords(*MUIR_TRY(task().store<store::KeyValueStore>(declared_.store)), grace_ms_);
    types_ = &task().store_types(declared_.store);
    looked_up_ = task().nodes.at(joined_.table);
    return held_.load();
  }
  Status process(const Row& row) override {
    if (row.value == nullptr || (row.key == nullptr && !joined_.left)) {
      drop();
      return {};
    }
    // What no table has a row for, and what is too late to wait, is joined at once.
    if (row.key == nullptr || !MUIR_TRY(hold(row)))
      MUIR_RETURN_IF_ERROR(join_with_table(joined_, *looked_up_, row, *this));
    return held_.release([&](BytesView key, BytesView value) { return tell(key, value); }, now_ms());
  }

 private:
  [[nodiscard]] int64_t now_ms() const { return task().environment.clock->now_ms(); }
  // Serdes are told the node's name for a topic, as Kafka Streams tells them.
  Result<bool> hold(const Row& row) {
    encoded_key_.clear();
    encoded_value_.clear();
    change_.clear();
    context_.clear();
    MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(spec().name, row.key, encoded_key_));
    MUIR_RETURN_IF_ERROR(types_->value.serde->serialize(spec().name, row.value, encoded_value_));
    append_buffered_context(context_of(task(), row), context_);
    append_buffered_change({.context = context_, .now = encoded_value_}, 0, change_);
    return held_.hold(encoded_key_, change_, row.timestamp_ms, now_ms());
  }
  // As it came: with its own time, headers and place.
  Status tell(BytesView key, BytesView value) {
    const BufferedChange change = MUIR_TRY(parse_buffered_change(value)).first;
    const BufferedContext context = MUIR_TRY(parse_buffered_context(change.context));
    if (!change.now) return error(Code::data_loss, "{}: a record is held that has no value", spec().name);
    MUIR_RETURN_IF_ERROR(types_->key.serde->deserialize(spec().name, key, key_.get()));
    MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(spec().name, *change.now, value_.get()));
    const ResumedRecord record(task(), origin_of(context), context.timestamp_ms);
    return join_with_table(joined_, *looked_up_, {key_.get(), value_.get(), context.timestamp_ms, context.headers},
                           *this);
  }

  JoinedTable joined_;
  const TableSpec declared_;  // the buffer
  const int64_t grace_ms_;
  HeldRecords held_;
  const TypedPair* types_ = nullptr;
  Node* looked_up_ = nullptr;
  // Reused from record to record.
  ErasedObject key_;
  ErasedObject value_;
  Bytes encoded_key_;
  Bytes encoded_value_;
  Bytes context_;
  Bytes change_;
};

}  // namespace

NodeFactory patient_join_node(JoinedTable joined, TableSpec buffer, int64_t grace_ms) {
  return [joined = std::move(joined), buffer = std::move(buffer), grace_ms] {
    return std::make_unique<PatientJoinNode>(joined, buffer, grace_ms);
  };
}

}  // namespace muir::streams::internal
