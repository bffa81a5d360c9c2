// KeyValueStore: one value per key, ordered by the keys' bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/store_supplier.h"

namespace muir::store {

struct KeyValueStoreOptions {
  std::string name{};
  StoreKind kind = StoreKind::rocksdb;
  ValueFormat format = ValueFormat::timestamped;
};

// while (it->next()) use(it->key(), it->value());  then it->status(). Views are valid until the next call of next().
// Owned by one thread. It sees the store as it was when the iterator was made, whatever is written meanwhile, and costs
// what it reads. It may outlive its store: from the store's close() on, views are no longer valid, next() is false, and
// status() is failed_precondition unless the end had been reached. To close a store while another thread reads needs
// what StateStore says: the reader keeps it open.
class KeyValueIterator {
 public:
  virtual ~KeyValueIterator() = default;
  virtual bool next() = 0;
  [[nodiscard]] virtual BytesView key() const = 0;
  [[nodiscard]] virtual BytesView value() const = 0;
  [[nodiscard]] virtual int64_t timestamp_ms() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

enum class Order : unsigned char { ascending, descending };

class KeyValueStore : public StateStore {
 public:
  static constexpr StoreFacet kFacet{"key-value"};

  // `value` absent: deletes. `timestamp_ms` goes to the changelog, and into the store when its format is timestamped.
  virtual Status put(BytesView key, OptBytesView value, int64_t timestamp_ms) = 0;
  // Reads into `out`, whose memory is reused; false when there is no such key. Thread-safe.
  virtual Result<bool> get(BytesView key, ValueAndTimestamp& out) = 0;
  // Keys from `from` to `to`, both included; an absent end is open. Thread-safe.
  virtual Result<std::unique_ptr<KeyValueIterator>> range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                          Order order = Order::ascending) = 0;
  // Keys that begin with `prefix`. Thread-safe.
  virtual Result<std::unique_ptr<KeyValueIterator>> prefix_scan(BytesView prefix, Order order = Order::ascending) = 0;
  // Exact in memory, an estimate on disk. Thread-safe.
  virtual Result<uint64_t> approximate_entries() = 0;

  Result<std::unique_ptr<KeyValueIterator>> all(Order order = Order::ascending) {
    return range(std::nullopt, std::nullopt, order);
  }
  Result<std::optional<ValueAndTimestamp>> get(BytesView key) {
    ValueAndTimestamp out;
    const bool found = MUIR_TRY(get(key, out));
    if (!found) return std::optional<ValueAndTimestamp>();
    return std::optional<ValueAndTimestamp>(std::move(out));
  }

 protected:
  void* facet(const StoreFacet& wanted) override { return &wanted == &kFacet ? this : nullptr; }
};

std::unique_ptr<KeyValueStore> make_key_value_store(KeyValueStoreOptions options);
// `store` with a record cache above it; it is a CachedStore, too. `format` is the store's.
std::unique_ptr<KeyValueStore> with_cache(std::unique_ptr<KeyValueStore> store, ValueFormat format,
                                          const RecordCache& cache);
std::shared_ptr<const StoreSupplier> key_value_supplier(KeyValueStoreOptions options);

}  // namespace muir::store
