// State stores with types: what processors use, and what queries and tests read. Views over the byte stores of
// src/store with two serdes; copies see the same store. A view is for use until its processor's close(), or while the
// TestDriver is neither restarted nor gone; an iterator from bytes() may be kept longer, and then says that the store
// was closed.
//
// Reads are thread-safe; writes belong to the task that owns the store.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "serde/serde.h"
#include "store/key_value_store.h"
#include "store/window_store.h"
#include "streams/windows.h"

namespace muir::streams {

// How to declare a store for StreamsBuilder::add_state_store().
template <class K, class V>
struct KeyValueStoreBuilder {
  std::string name{};
  SerdeRef<K> key{};  // default: those of the types
  SerdeRef<V> value{};
  store::StoreKind kind = store::StoreKind::rocksdb;
  bool logging = true;   // false: no changelog, and nothing to restore from
  bool caching = false;  // writes of a key between two commits become one in the changelog
  std::map<std::string, std::string> topic_configs{};
  store::ValueFormat format = store::ValueFormat::timestamped;
};

template <class K, class V>
struct WindowStoreBuilder {
  std::string name{};
  SerdeRef<K> key{};  // default: those of the types
  SerdeRef<V> value{};
  std::chrono::milliseconds window_size{0};
  std::chrono::milliseconds retention{0};  // at least the window's size
  store::StoreKind kind = store::StoreKind::rocksdb;
  bool logging = true;
  bool caching = false;
  std::map<std::string, std::string> topic_configs{};
  store::ValueFormat format = store::ValueFormat::timestamped;
};

// A store of any other kind.
struct StoreBuilder {
  std::shared_ptr<const store::StoreSupplier> supplier{};  // shared with every task
  bool logging = true;
  bool caching = false;  // where the kind can have a cache
  std::map<std::string, std::string> topic_configs{};
};

template <class V>
struct ValueAndTimestamp {
  V value{};
  int64_t timestamp_ms = -1;
  bool operator==(const ValueAndTimestamp&) const = default;
};

namespace internal {

// Calls f and tells whether to go on: f may return bool, or nothing for always.
template <class F, class... A>
bool visit(F& f, const A&... args) {
  if constexpr (std::is_same_v<std::invoke_result_t<F&, const A&...>, bool>) {
    return f(args...);
  } else {
    f(args...);
    return true;
  }
}

template <class K, class V>
struct TypedBytes {
  SerdeRef<K> key;
  SerdeRef<V> value;
  std::string topic;  // told to the serdes
  const int64_t* record_time_ms = nullptr;

  [[nodiscard]] int64_t now_ms() const { return record_time_ms != nullptr ? *record_time_ms : 0; }
};

}  // namespace internal

template <class K, class V>
class KeyValueStore {
 public:
  KeyValueStore() = default;
  KeyValueStore(store::KeyValueStore& bytes, SerdeRef<K> key, SerdeRef<V> value, std::string topic,
                const int64_t* record_time_ms = nullptr)
      : bytes_(&bytes), types_{std::move(key), std::move(value), std::move(topic), record_time_ms} {}

  Result<std::optional<V>> get(const K& key) const {
    auto found = MUIR_TRY(get_with_timestamp(key));
    if (!found) return std::optional<V>();
    return std::optional<V>(std::move(found->value));
  }
  Result<std::optional<ValueAndTimestamp<V>>> get_with_timestamp(const K& key) const {
    Bytes key_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, key, key_bytes));
    store::ValueAndTimestamp row;
    const bool found = MUIR_TRY(bytes_->get(key_bytes, row));
    if (!found) return std::optional<ValueAndTimestamp<V>>();
    auto value = MUIR_TRY(types_.value.deserialize(types_.topic, row.value));
    return std::optional<ValueAndTimestamp<V>>(ValueAndTimestamp<V>{std::move(value), row.timestamp_ms});
  }
  // With the timestamp of the record under way.
  Status put(const K& key, const V& value) { return put(key, value, types_.now_ms()); }
  Status put(const K& key, const V& value, int64_t timestamp_ms) {
    Bytes key_bytes;
    Bytes value_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, key, key_bytes));
    MUIR_RETURN_IF_ERROR(types_.value.serialize(types_.topic, value, value_bytes));
    return bytes_->put(key_bytes, value_bytes, timestamp_ms);
  }
  Status erase(const K& key) {
    Bytes key_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, key, key_bytes));
    return bytes_->put(key_bytes, std::nullopt, types_.now_ms());
  }
  // visit(key, value) or visit(key, ValueAndTimestamp<V>), in the order of the keys' bytes; false ends the walk.
  template <class F>
  Status for_each(F visit) const {
    return walk(MUIR_TRY(bytes_->all()), visit);
  }
  // Keys from `from` to `to`, both included, by their bytes.
  template <class F>
  Status range(const K& from, const K& to, F visit) const {
    Bytes from_bytes;
    Bytes to_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, from, from_bytes));
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, to, to_bytes));
    return walk(MUIR_TRY(bytes_->range(from_bytes, to_bytes)), visit);
  }
  [[nodiscard]] store::KeyValueStore& bytes() const { return *bytes_; }

 private:
  template <class F>
  Status walk(std::unique_ptr<store::KeyValueIterator> rows, F& visit) const {
    while (rows->next()) {
      const K key = MUIR_TRY(types_.key.deserialize(types_.topic, rows->key()));
      V value = MUIR_TRY(types_.value.deserialize(types_.topic, rows->value()));
      if constexpr (std::is_invocable_v<F&, const K&, const V&>) {
        if (!internal::visit(visit, key, value)) return {};
      } else {
        if (!internal::visit(visit, key, ValueAndTimestamp<V>{std::move(value), rows->timestamp_ms()})) return {};
      }
    }
    return rows->status();
  }

  store::KeyValueStore* bytes_ = nullptr;
  internal::TypedBytes<K, V> types_;
};

template <class K, class V>
class WindowStore {
 public:
  WindowStore() = default;
  WindowStore(store::WindowStore& bytes, SerdeRef<K> key, SerdeRef<V> value, std::string topic,
              const int64_t* record_time_ms = nullptr)
      : bytes_(&bytes), types_{std::move(key), std::move(value), std::move(topic), record_time_ms} {}

  Result<std::optional<ValueAndTimestamp<V>>> fetch(const K& key, int64_t window_start_ms) const {
    Bytes key_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, key, key_bytes));
    store::ValueAndTimestamp row;
    const bool found = MUIR_TRY(bytes_->fetch(key_bytes, window_start_ms, row));
    if (!found) return std::optional<ValueAndTimestamp<V>>();
    auto value = MUIR_TRY(types_.value.deserialize(types_.topic, row.value));
    return std::optional<ValueAndTimestamp<V>>(ValueAndTimestamp<V>{std::move(value), row.timestamp_ms});
  }
  Status put(const K& key, const V& value, int64_t window_start_ms) {
    return put(key, value, window_start_ms, types_.now_ms());
  }
  Status put(const K& key, const V& value, int64_t window_start_ms, int64_t timestamp_ms) {
    Bytes key_bytes;
    Bytes value_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, key, key_bytes));
    MUIR_RETURN_IF_ERROR(types_.value.serialize(types_.topic, value, value_bytes));
    return bytes_->put(key_bytes, value_bytes, window_start_ms, timestamp_ms);
  }
  Status erase(const K& key, int64_t window_start_ms) {
    Bytes key_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, key, key_bytes));
    return bytes_->put(key_bytes, std::nullopt, window_start_ms, types_.now_ms());
  }
  // visit(window, value): windows of one key that start in [from_ms, to_ms], in time order; false ends the walk.
  template <class F>
  Status fetch(const K& key, int64_t from_ms, int64_t to_ms, F visit) const {
    Bytes key_bytes;
    MUIR_RETURN_IF_ERROR(types_.key.serialize(types_.topic, key, key_bytes));
    const auto rows = MUIR_TRY(bytes_->fetch(key_bytes, from_ms, to_ms));
    while (rows->next()) {
      const V value = MUIR_TRY(types_.value.deserialize(types_.topic, rows->value()));
      if (!internal::visit(visit, window(rows->window_start_ms()), value)) return {};
    }
    return rows->status();
  }
  // visit(windowed_key, value): all windows that start in [from_ms, to_ms].
  template <class F>
  Status fetch_all(int64_t from_ms, int64_t to_ms, F visit) const {
    const auto rows = MUIR_TRY(bytes_->fetch_range(std::nullopt, std::nullopt, from_ms, to_ms));
    while (rows->next()) {
      Windowed<K> key{MUIR_TRY(types_.key.deserialize(types_.topic, rows->key())), window(rows->window_start_ms())};
      const V value = MUIR_TRY(types_.value.deserialize(types_.topic, rows->value()));
      if (!internal::visit(visit, key, value)) return {};
    }
    return rows->status();
  }
  [[nodiscard]] store::WindowStore& bytes() const { return *bytes_; }

 private:
  [[nodiscard]] Window window(int64_t start_ms) const {
    return {start_ms, start_ms + bytes_->options().window_size_ms};
  }

  store::WindowStore* bytes_ = nullptr;
  internal::TypedBytes<K, V> types_;
};

}  // namespace muir::streams
