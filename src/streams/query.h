// Reading a running application's stores from outside, typed and read-only.
//
//   auto counts = streams->key_value<std::string, int64_t>("counts");
//   MUIR_TRY(counts.get("berlin"))->value;
//
// A query sees what this instance holds; metadata_for_key() (kafka_streams.h) tells which instance has a key. Answers
// come from the stores as they are: under exactly-once they may run ahead of the last commit. Every call fails with
// Code::unavailable while the instance rebalances, restores or is stopped: ask again. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "serde/serde.h"
#include "store/state_store.h"

namespace muir::streams {

template <class V>
struct QueriedValue {
  V value{};
  int64_t timestamp_ms = -1;  // of the record that wrote it last
};
template <class K, class V>
struct QueriedRow {
  K key{};
  V value{};
  int64_t timestamp_ms = -1;
};
template <class K, class V>
struct QueriedWindow {
  K key{};
  int64_t window_start_ms = 0;
  V value{};
  int64_t timestamp_ms = -1;
};

namespace internal {

class StoreRegistry;

// One store over every partition that this instance holds, in bytes. Thread-safe.
class StoreReader {
 public:
  // `ready` says whether the instance answers queries now.
  StoreReader(std::shared_ptr<StoreRegistry> registry, std::string name, std::string topic,
              std::function<Status()> ready)
      : registry_(std::move(registry)), name_(std::move(name)), topic_(std::move(topic)), ready_(std::move(ready)) {}

  // Return false to stop.
  using OnRow = std::function<Result<bool>(BytesView key, BytesView value, int64_t timestamp_ms)>;
  using OnWindow = std::function<Result<bool>(BytesView key, int64_t start_ms, BytesView value, int64_t timestamp_ms)>;

  Result<bool> get(BytesView key, store::ValueAndTimestamp& out) const;
  // Partition by partition; within one, by the keys' bytes.
  Status range(std::optional<BytesView> from, std::optional<BytesView> to, const OnRow& on_row) const;
  Status prefix(BytesView prefix, const OnRow& on_row) const;
  Status fetch(BytesView key, int64_t from_ms, int64_t to_ms, const OnWindow& on_window) const;
  Status fetch_all(int64_t from_ms, int64_t to_ms, const OnWindow& on_window) const;
  Result<uint64_t> approximate_entries() const;
  // The store of each partition, of whatever kind, which stays open during the call.
  using OnStore = std::function<Result<bool>(store::StateStore& store)>;
  Status visit(const OnStore& on_store) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& topic() const { return topic_; }

 private:
  // Shared with the application: a reader may outlive it, and is then told that the store is not available.
  std::shared_ptr<StoreRegistry> registry_;
  std::string name_;
  std::string topic_;
  std::function<Status()> ready_;
};

}  // namespace internal

template <class K, class V>
class KeyValueView {
 public:
  KeyValueView(internal::StoreReader reader, SerdeRef<K> key, SerdeRef<V> value)
      : reader_(std::move(reader)), key_(std::move(key)), value_(std::move(value)) {}

  // Empty when there is no such key.
  Result<std::optional<QueriedValue<V>>> get(const K& key) const {
    Bytes bytes;
    MUIR_RETURN_IF_ERROR(key_.serialize(reader_.topic(), key, bytes));
    store::ValueAndTimestamp found;
    if (!MUIR_TRY(reader_.get(bytes, found))) return std::optional<QueriedValue<V>>();
    return std::optional(
        QueriedValue<V>{MUIR_TRY(value_.deserialize(reader_.topic(), found.value)), found.timestamp_ms});
  }
  // Keys from `from` to `to` in the order of their bytes, both included; absent: open. At most `rows_max` rows.
  Result<std::vector<QueriedRow<K, V>>> range(const std::optional<K>& from, const std::optional<K>& to,
                                              size_t rows_max = SIZE_MAX) const {
    Bytes low;
    Bytes high;
    if (from) MUIR_RETURN_IF_ERROR(key_.serialize(reader_.topic(), *from, low));
    if (to) MUIR_RETURN_IF_ERROR(key_.serialize(reader_.topic(), *to, high));
    std::vector<QueriedRow<K, V>> out;
    if (rows_max == 0) return out;
    MUIR_RETURN_IF_ERROR(reader_.range(
        from ? std::optional<BytesView>(low) : std::nullopt, to ? std::optional<BytesView>(high) : std::nullopt,
        [&](BytesView key, BytesView value, int64_t timestamp_ms) -> Result<bool> {
          out.push_back({MUIR_TRY(key_.deserialize(reader_.topic(), key)),
                         MUIR_TRY(value_.deserialize(reader_.topic(), value)), timestamp_ms});
          return out.size() < rows_max;
        }));
    return out;
  }
  Result<std::vector<QueriedRow<K, V>>> all(size_t rows_max = SIZE_MAX) const {
    return range(std::nullopt, std::nullopt, rows_max);
  }
  Result<uint64_t> approximate_entries() const { return reader_.approximate_entries(); }

 private:
  internal::StoreReader reader_;
  SerdeRef<K> key_;
  SerdeRef<V> value_;
};

template <class K, class V>
class WindowView {
 public:
  WindowView(internal::StoreReader reader, SerdeRef<K> key, SerdeRef<V> value)
      : reader_(std::move(reader)), key_(std::move(key)), value_(std::move(value)) {}

  // Windows of one key that start between the two times, both included, in time order.
  Result<std::vector<QueriedWindow<K, V>>> fetch(const K& key, int64_t from_ms, int64_t to_ms) const {
    Bytes bytes;
    MUIR_RETURN_IF_ERROR(key_.serialize(reader_.topic(), key, bytes));
    std::vector<QueriedWindow<K, V>> out;
    MUIR_RETURN_IF_ERROR(reader_.fetch(bytes, from_ms, to_ms, collect(out)));
    return out;
  }
  // Windows of every key that start between the two times.
  Result<std::vector<QueriedWindow<K, V>>> fetch_all(int64_t from_ms, int64_t to_ms) const {
    std::vector<QueriedWindow<K, V>> out;
    MUIR_RETURN_IF_ERROR(reader_.fetch_all(from_ms, to_ms, collect(out)));
    return out;
  }

 private:
  internal::StoreReader::OnWindow collect(std::vector<QueriedWindow<K, V>>& out) const {
    return [this, &out](BytesView key, int64_t start_ms, BytesView value, int64_t timestamp_ms) -> Result<bool> {
      out.push_back({MUIR_TRY(key_.deserialize(reader_.topic(), key)), start_ms,
                     MUIR_TRY(value_.deserialize(reader_.topic(), value)), timestamp_ms});
      return true;
    };
  }
  internal::StoreReader reader_;
  SerdeRef<K> key_;
  SerdeRef<V> value_;
};

}  // namespace muir::streams
