// WindowStore: one value per key and window start, forgotten when the retention has passed.
//
// Time is the greatest window start put so far. Windows are kept in segments of time, and a whole segment is dropped
// at once: on disk a window is forgotten when its segment is (put() of an older one is dropped), in memory exactly at
// the retention. Reads are exact in both: nothing older than the retention is returned. A store that is opened again
// knows the time only as the beginning of its newest segment, as in Kafka Streams, until the next put.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/key_value_store.h"

namespace muir::store {

struct WindowStoreOptions {
  std::string name{};
  StoreKind kind = StoreKind::rocksdb;
  ValueFormat format = ValueFormat::timestamped;
  int64_t window_size_ms = 0;
  int64_t retention_ms = 0;         // at least window_size_ms
  int64_t segment_interval_ms = 0;  // 0: Kafka's default, half of the retention but at least one minute
  bool retain_duplicates = false;   // every put adds an entry; one without value is only in the changelog
};

// As KeyValueIterator.
class WindowIterator {
 public:
  virtual ~WindowIterator() = default;
  virtual bool next() = 0;
  [[nodiscard]] virtual BytesView key() const = 0;
  [[nodiscard]] virtual int64_t window_start_ms() const = 0;
  [[nodiscard]] virtual BytesView value() const = 0;
  [[nodiscard]] virtual int64_t timestamp_ms() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

class WindowStore : public StateStore {
 public:
  static constexpr StoreFacet kFacet{"window"};

  // `value` absent: deletes. A window older than the retention is dropped, though not from the changelog, and counted
  // in dropped().
  virtual Status put(BytesView key, OptBytesView value, int64_t window_start_ms, int64_t timestamp_ms) = 0;
  // Reads into `out`; false when there is no such window. Thread-safe. Not for stores that retain duplicates.
  virtual Result<bool> fetch(BytesView key, int64_t window_start_ms, ValueAndTimestamp& out) = 0;
  // Windows of one key that start between `from_ms` and `to_ms`, both included, in time order. Thread-safe.
  virtual Result<std::unique_ptr<WindowIterator>> fetch(BytesView key, int64_t from_ms, int64_t to_ms,
                                                        Order order = Order::ascending) = 0;
  // Windows of keys between `from` and `to` (both included, absent: open) that start in the time range: by segment,
  // then by key, then by time. Thread-safe.
  virtual Result<std::unique_ptr<WindowIterator>> fetch_range(std::optional<BytesView> from,
                                                              std::optional<BytesView> to, int64_t from_ms,
                                                              int64_t to_ms, Order order = Order::ascending) = 0;
  // Every window, in the order of fetch_range. Thread-safe.
  Result<std::unique_ptr<WindowIterator>> all() { return fetch_range(std::nullopt, std::nullopt, 0, INT64_MAX); }

  [[nodiscard]] virtual const WindowStoreOptions& options() const = 0;

 protected:
  void* facet(const StoreFacet& wanted) override { return &wanted == &kFacet ? this : nullptr; }
};

std::unique_ptr<WindowStore> make_window_store(WindowStoreOptions options);
// `store`, which retains no duplicates, with a record cache above it; it is a CachedStore, too.
std::unique_ptr<WindowStore> with_cache(std::unique_ptr<WindowStore> store, const RecordCache& cache);
std::shared_ptr<const StoreSupplier> window_supplier(WindowStoreOptions options);

// Restores stores of both kinds from arbitrary bytes as records of a changelog: what is taken is found. Returns 1 when
// there is something.
int fuzz_changelog(BytesView input);

}  // namespace muir::store
