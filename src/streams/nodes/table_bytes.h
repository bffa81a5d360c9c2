// TableBytes: a key-value store, versioned or not, seen as a table of typed objects, for nodes. Its buffers are reused
// from call to call.
#pragma once

#include <string>
#include <utility>

#include "store/key_value_store.h"
#include "store/versioned_store.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {

class TableBytes {
 public:
  TableBytes() = default;
  TableBytes(store::StateStore& store, TypedPair types, std::string topic)
      : store_(store.as<store::KeyValueStore>()),
        versioned_(store.as<store::VersionedStore>()),
        types_(std::move(types)),
        topic_(std::move(topic)),
        value_(types_.value.type) {}

  explicit operator bool() const { return store_ != nullptr || versioned_ != nullptr; }

  // Sets the key that the other calls are about.
  Status seek(const void* key) {
    key_.clear();
    return types_.key.serde->serialize(topic_, key, key_);
  }
  // What a versioned store had at that time, any other has now. The value is valid until the next call.
  Result<Node::Found> get(int64_t as_of_ms = Node::kNow) {
    if (versioned_ != nullptr) {
      if (!MUIR_TRY(versioned_->get(BytesView(key_), as_of_ms, version_))) return Node::Found{};
      return decoded(version_.value, version_.timestamp_ms);
    }
    if (!MUIR_TRY(store_->get(BytesView(key_), row_))) return Node::Found{};
    return decoded(row_.value, row_.timestamp_ms);
  }
  // What became of a write; only versioned stores know of others than the latest.
  enum class Kept : unsigned char { latest, older, nothing };
  Result<Kept> put(const void* value, int64_t timestamp_ms) {
    OptBytesView encoded;
    if (value != nullptr) {
      encoded_.clear();
      MUIR_RETURN_IF_ERROR(types_.value.serde->serialize(topic_, value, encoded_));
      encoded = encoded_;
    }
    if (versioned_ == nullptr) {
      MUIR_RETURN_IF_ERROR(store_->put(key_, encoded, timestamp_ms));
      return Kept::latest;
    }
    const int64_t valid_to_ms = MUIR_TRY(versioned_->put(key_, encoded, timestamp_ms));
    if (valid_to_ms == store::kNotPut) return Kept::nothing;
    return valid_to_ms == store::kStillValid ? Kept::latest : Kept::older;
  }
  // The object that get() fills, to be changed in place.
  [[nodiscard]] void* object() { return value_.get(); }

 private:
  Result<Node::Found> decoded(BytesView bytes, int64_t timestamp_ms) {
    MUIR_RETURN_IF_ERROR(types_.value.serde->deserialize(topic_, bytes, value_.get()));
    return Node::Found{value_.get(), timestamp_ms};
  }

  store::KeyValueStore* store_ = nullptr;
  store::VersionedStore* versioned_ = nullptr;  // one of the two
  TypedPair types_;
  std::string topic_;
  ErasedObject value_;
  Bytes key_;
  Bytes encoded_;
  store::ValueAndTimestamp row_;
  store::VersionedRecord version_;
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
  TableBytes out(*MUIR_TRY(task.state_store(table.store)), task.store_types(table.store),
                 task.store_topic(table.store));
  if (!out) return error(Code::invalid_argument, "state store {} keeps no table by key", table.store);
  return out;
}

}  // namespace muir::streams::internal
