// VersionedStore: what each key had, and from when to when (KIP-889). A version is valid from its timestamp until that
// of the key's next one, which may be a deletion. The latest version of a key is kept for good, older ones until the
// history retention has passed since the end of their validity.
//
// Time is the greatest timestamp put so far. Puts that are older than the history retention are dropped; behind a
// reopening time begins anew, at the newest end of a validity that is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/key_value_store.h"

namespace muir::store {

struct VersionedStoreOptions {
  std::string name{};
  int64_t history_retention_ms = 0;
  // Versions are forgotten by segments of time; 0: Kafka's default, which follows the retention.
  int64_t segment_interval_ms = 0;
};

struct VersionedRecord {
  Bytes value{};
  int64_t timestamp_ms = 0;              // valid from then on
  std::optional<int64_t> valid_to_ms{};  // not included; absent: it is the latest
  bool operator==(const VersionedRecord&) const = default;
};

// What put() returns besides times.
inline constexpr int64_t kStillValid = -1;
inline constexpr int64_t kNotPut = INT64_MIN;

class VersionedStore : public StateStore {
 public:
  static constexpr StoreFacet kFacet{"versioned key-value"};

  // `value` absent: deletes. Yields when the version ends: a later version's timestamp, kStillValid if it is the key's
  // latest, or kNotPut if it was too late, which is counted in dropped(). The changelog gets it in any case.
  virtual Result<int64_t> put(BytesView key, OptBytesView value, int64_t timestamp_ms) = 0;
  // put() of a deletion. Reads into `out` what was valid at that time; false when there was nothing.
  virtual Result<bool> erase(BytesView key, int64_t timestamp_ms, VersionedRecord& out) = 0;
  // The latest version, into `out`; false when there is none. Thread-safe.
  virtual Result<bool> get(BytesView key, VersionedRecord& out) = 0;
  // The one that was valid at that time. When that is before the history retention, it is found only if it is the
  // latest one. Thread-safe.
  virtual Result<bool> get(BytesView key, int64_t as_of_ms, VersionedRecord& out) = 0;
  // Those that were valid at some time from `from_ms` to `to_ms`, both included, by time. When `to_ms` is before the
  // history retention, only the latest one is looked at. Thread-safe.
  virtual Result<std::vector<VersionedRecord>> get(BytesView key, int64_t from_ms, int64_t to_ms,
                                                   Order order = Order::ascending) = 0;

  [[nodiscard]] virtual const VersionedStoreOptions& options() const = 0;

 protected:
  void* facet(const StoreFacet& wanted) override { return &wanted == &kFacet ? this : nullptr; }
};

std::unique_ptr<VersionedStore> make_versioned_store(VersionedStoreOptions options);
// In RocksDB. Stores of this kind have no record cache.
std::shared_ptr<const StoreSupplier> versioned_supplier(VersionedStoreOptions options);
// The history retention of the stores that it makes; absent: they are not versioned.
std::optional<int64_t> history_retention_ms(const StoreSupplier& supplier);

}  // namespace muir::store
