// Versioned key-value stores with types: what each key had, and from when to when. See store/versioned_store.h for what
// is kept, and for how long; streams/stores.h for how long a view may be used.
//
//   builder.table<std::string, Price>("prices", {}, {.supplier =
//       Stores::persistent_versioned_key_value_store("prices", 24h)});
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serde/serde.h"
#include "store/versioned_store.h"
#include "streams/query.h"
#include "streams/stores.h"

namespace muir::streams {

using store::kNotPut;
using store::kStillValid;

// Suppliers of stores, under Kafka Streams' names.
struct Stores {
  // Older versions are kept until `history_retention` after their end; records that are later than that are dropped. In
  // segments of time: Kafka's default follows the retention.
  static std::shared_ptr<const store::StoreSupplier> persistent_versioned_key_value_store(
      std::string name, std::chrono::milliseconds history_retention,
      std::optional<std::chrono::milliseconds> segment_interval = std::nullopt) {
    constexpr int64_t kNone = -1;  // refused, as 0 would mean the default
    const int64_t interval_ms = segment_interval ? segment_interval->count() : 0;
    return store::versioned_supplier(
        {.name = std::move(name),
         .history_retention_ms = history_retention.count(),
         .segment_interval_ms = segment_interval && interval_ms < 1 ? kNone : interval_ms});
  }
};

// How to declare such a store for StreamsBuilder::add_state_store().
template <class K, class V>
struct VersionedKeyValueStoreBuilder {
  std::string name{};
  SerdeRef<K> key{};  // default: those of the types
  SerdeRef<V> value{};
  std::chrono::milliseconds history_retention{0};
  std::optional<std::chrono::milliseconds> segment_interval{};
  bool logging = true;
  std::map<std::string, std::string> topic_configs{};
};

template <class V>
struct VersionedValue {
  V value{};
  int64_t timestamp_ms = -1;             // valid from then on
  std::optional<int64_t> valid_to_ms{};  // not included; absent: it is the latest
  bool operator==(const VersionedValue&) const = default;
};

namespace internal {

template <class V>
Result<std::optional<VersionedValue<V>>> versioned_value(bool found, const store::VersionedRecord& record,
                                                         const SerdeRef<V>& serde, const std::string& topic) {
  if (!found) return std::optional<VersionedValue<V>>();
  return std::optional(
      VersionedValue<V>{MUIR_TRY(serde.deserialize(topic, record.value)), record.timestamp_ms, record.valid_to_ms});
}
template <class V>
Result<std::vector<VersionedValue<V>>> versioned_values(const std::vector<store::VersionedRecord>& records,
                                                        const SerdeRef<V>& serde, const std::string& topic) {
  std::vector<VersionedValue<V>> out;
  for (const auto& record : records) {
    auto value = MUIR_TRY(versioned_value(true, record, serde, topic));
    out.push_back(std::move(*value));
  }
  return out;
}

}  // namespace internal

// A processor's view. Reads are thread-safe; writes belong to the task that owns the store.
template <class K, class V>
class VersionedKeyValueStore {
 public:
  VersionedKeyValueStore() = default;
  VersionedKeyValueStore(store::VersionedStore& bytes, SerdeRef<K> key, SerdeRef<V> value, std::string topic)
      : bytes_(&bytes), key_(std::move(key)), value_(std::move(value)), topic_(std::move(topic)) {}

  // Absent: deletes. Yields when the version ends, kStillValid if it is the latest, kNotPut if it came too late.
  Result<int64_t> put(const K& key, const std::optional<V>& value, int64_t timestamp_ms) {
    const Bytes key_bytes = MUIR_TRY(encoded(key));
    if (!value) return bytes_->put(key_bytes, std::nullopt, timestamp_ms);
    Bytes value_bytes;
    MUIR_RETURN_IF_ERROR(value_.serialize(topic_, *value, value_bytes));
    return bytes_->put(key_bytes, value_bytes, timestamp_ms);
  }
  // Yields what was valid at that time.
  Result<std::optional<VersionedValue<V>>> erase(const K& key, int64_t timestamp_ms) {
    const Bytes bytes = MUIR_TRY(encoded(key));
    store::VersionedRecord record;
    const bool found = MUIR_TRY(bytes_->erase(bytes, timestamp_ms, record));
    return internal::versioned_value(found, record, value_, topic_);
  }
  // The latest version.
  Result<std::optional<VersionedValue<V>>> get(const K& key) const {
    const Bytes bytes = MUIR_TRY(encoded(key));
    store::VersionedRecord record;
    const bool found = MUIR_TRY(bytes_->get(bytes, record));
    return internal::versioned_value(found, record, value_, topic_);
  }
  // The one that was valid then.
  Result<std::optional<VersionedValue<V>>> get(const K& key, int64_t as_of_ms) const {
    const Bytes bytes = MUIR_TRY(encoded(key));
    store::VersionedRecord record;
    const bool found = MUIR_TRY(bytes_->get(bytes, as_of_ms, record));
    return internal::versioned_value(found, record, value_, topic_);
  }
  // Those that were valid at some time between the two, both included, by time.
  Result<std::vector<VersionedValue<V>>> get(const K& key, int64_t from_ms, int64_t to_ms,
                                             store::Order order = store::Order::ascending) const {
    const Bytes bytes = MUIR_TRY(encoded(key));
    const auto records = MUIR_TRY(bytes_->get(bytes, from_ms, to_ms, order));
    return internal::versioned_values(records, value_, topic_);
  }
  [[nodiscard]] store::VersionedStore& bytes() const { return *bytes_; }

 private:
  Result<Bytes> encoded(const K& key) const {
    Bytes out;
    MUIR_RETURN_IF_ERROR(key_.serialize(topic_, key, out));
    return out;
  }

  store::VersionedStore* bytes_ = nullptr;
  SerdeRef<K> key_;
  SerdeRef<V> value_;
  std::string topic_;
};

// A running application's store from outside; see query.h. Answers as VersionedKeyQuery and MultiVersionedKeyQuery do.
template <class K, class V>
class VersionedView {
 public:
  VersionedView(internal::StoreReader reader, SerdeRef<K> key, SerdeRef<V> value)
      : reader_(std::move(reader)), key_(std::move(key)), value_(std::move(value)) {}

  Result<std::optional<VersionedValue<V>>> get(const K& key) const { return get(key, INT64_MAX); }
  Result<std::optional<VersionedValue<V>>> get(const K& key, int64_t as_of_ms) const {
    store::VersionedRecord record;
    bool found = false;
    MUIR_RETURN_IF_ERROR(visit(key, [&](store::VersionedStore& store, BytesView bytes) -> Result<bool> {
      found = MUIR_TRY(store.get(bytes, as_of_ms, record));
      return !found;
    }));
    return internal::versioned_value(found, record, value_, reader_.topic());
  }
  Result<std::vector<VersionedValue<V>>> get(const K& key, int64_t from_ms, int64_t to_ms,
                                             store::Order order = store::Order::ascending) const {
    std::vector<store::VersionedRecord> records;
    MUIR_RETURN_IF_ERROR(visit(key, [&](store::VersionedStore& store, BytesView bytes) -> Result<bool> {
      records = MUIR_TRY(store.get(bytes, from_ms, to_ms, order));
      return records.empty();
    }));
    return internal::versioned_values(records, value_, reader_.topic());
  }

 private:
  // Partition by partition, one of which has the key.
  template <class F>
  Status visit(const K& key, F look) const {
    Bytes bytes;
    MUIR_RETURN_IF_ERROR(key_.serialize(reader_.topic(), key, bytes));
    return reader_.visit([&](store::StateStore& part) -> Result<bool> {
      auto* typed = part.as<store::VersionedStore>();
      if (typed == nullptr)
        return error(Code::invalid_argument, "query store {}: it is not a {} store", reader_.name(),
                     store::VersionedStore::kFacet.name);
      return look(*typed, bytes);
    });
  }

  internal::StoreReader reader_;
  SerdeRef<K> key_;
  SerdeRef<V> value_;
};

}  // namespace muir::streams
