// TableBytes: a key-value store seen as a table of typed objects, for nodes. Its buffers are reused from call to call.
#pragma once

#include <string>
#include <utility>

#include "store/key_value_store.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {

class TableBytes {
 public:
  TableBytes() = default;
  TableBytes(store::KeyValueStore& store, TypedPair types, std::string topic)
      : store_(&store), types_(std::move(types)), topic_(std::move(topic)), value_(types_.value.type) {}

  explicit operator bool() const { return store_ != nullptr; }

  // Sets the key that the other calls are about.
  Status seek(const void* key) {
    key_.clear();
    return types_.key.serde->serialize(topic_, key, key_);
  }
  // The value is valid until the next call.
  Result<Node::Found> get() {
    const bool found = MUIR_TRY(store_->get(BytesView(key_), row_));
    if (!found) return Node::Found{};
    MUIR_RETURN_IF_ERROR(types_.value.serde->deserialize(topic_, row_.value, value_.get()));
    return Node::Found{value_.get(), row_.timestamp_ms};
  }
  Status put(const void* value, int64_t timestamp_ms) {
    if (value == nullptr) return store_->put(key_, std::nullopt, timestamp_ms);
    encoded_.clear();
    MUIR_RETURN_IF_ERROR(types_.value.serde->serialize(topic_, value, encoded_));
    return store_->put(key_, encoded_, timestamp_ms);
  }
  // The object that get() fills, to be changed in place.
  [[nodiscard]] void* object() { return value_.get(); }

 private:
  store::KeyValueStore* store_ = nullptr;
  TypedPair types_;
  std::string topic_;
  ErasedObject value_;
  Bytes key_;
  Bytes encoded_;
  store::ValueAndTimestamp row_;
};

// Sets `old` to a key's aggregate as it was: a new one's is what it starts from, as in Kafka Streams. False when there
// is none.
inline bool keep_old(const Initialize& initial, const void* stored, ErasedObject& old) {
  if (stored == nullptr && !initial) return false;
  if (stored != nullptr) {
    old.assign(stored);
  } else {
    initial(old.get());
  }
  return true;
}

inline Result<TableBytes> open_table(TaskContext& task, const TableSpec& table) {
  return TableBytes(*MUIR_TRY(task.store<store::KeyValueStore>(table.store)), task.store_types(table.store),
                    task.store_topic(table.store));
}

}  // namespace muir::streams::internal
