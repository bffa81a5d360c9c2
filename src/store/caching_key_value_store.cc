// A key-value store with a record cache above it.
#include <utility>

#include "store/internal/caching_store.h"
#include "store/key_value_store.h"

namespace muir::store {
namespace {

using internal::CacheEntry;
using internal::WriteCache;

struct KeyOfRow {
  BytesView operator()(const KeyValueIterator& row) const { return row.key(); }
};

class CachedRows final : public KeyValueIterator {
 public:
  CachedRows(std::unique_ptr<internal::VersionedMap::Walk> held, std::unique_ptr<KeyValueIterator> stored, Order order,
             ValueFormat format)
      : rows_(std::move(held), std::move(stored), order, {}), format_(format) {}
  bool next() override { return rows_.next(); }
  BytesView key() const override { return rows_.held() ? rows_.walk().key() : rows_.stored().key(); }
  BytesView value() const override { return rows_.held() ? *rows_.entry().value : rows_.stored().value(); }
  int64_t timestamp_ms() const override {
    if (!rows_.held()) return rows_.stored().timestamp_ms();
    return format_ == ValueFormat::timestamped ? rows_.entry().timestamp_ms : -1;
  }
  Status status() const override { return rows_.status(); }

 private:
  internal::CacheMerge<internal::VersionedMap::Walk, KeyValueIterator, KeyOfRow> rows_;
  const ValueFormat format_;
};

class CachingKeyValueStore final : public internal::CachingStore<KeyValueStore> {
 public:
  CachingKeyValueStore(std::unique_ptr<KeyValueStore> stored, ValueFormat format, const RecordCache& cache)
      : CachingStore(std::move(stored), cache), format_(format) {}

  Status put(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    cache().put(key, value, timestamp_ms);
    return cache().must_flush() ? flush() : Status();
  }
  Result<bool> get(BytesView key, ValueAndTimestamp& out) override {
    switch (cache().find(key, out)) {
      case WriteCache::Held::nothing: return stored().get(key, out);
      case WriteCache::Held::erased: return false;
      case WriteCache::Held::value: break;
    }
    if (format_ == ValueFormat::plain) out.timestamp_ms = -1;
    return true;
  }
  Result<std::unique_ptr<KeyValueIterator>> range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                  Order order) override {
    auto held = cache().walk(internal::closed_range(from, to), order);
    return merged(std::move(held), MUIR_TRY(stored().range(from, to, order)), order);
  }
  Result<std::unique_ptr<KeyValueIterator>> prefix_scan(BytesView prefix, Order order) override {
    auto held = cache().walk({.from = Bytes(prefix), .to = internal::prefix_end(prefix)}, order);
    return merged(std::move(held), MUIR_TRY(stored().prefix_scan(prefix, order)), order);
  }
  // Of what is stored: keys that are only held are not counted.
  Result<uint64_t> approximate_entries() override { return stored().approximate_entries(); }

  Status flush() override {
    return cache().flush([this](BytesView key, const CacheEntry& entry) {
      return hand_on(
          entry, {.key = key}, [&](ValueAndTimestamp& before) { return stored().get(key, before); },
          [&] { return stored().put(key, entry.value, entry.timestamp_ms); });
    });
  }

 private:
  Result<std::unique_ptr<KeyValueIterator>> merged(std::unique_ptr<internal::VersionedMap::Walk> held,
                                                   std::unique_ptr<KeyValueIterator> stored, Order order) const {
    return std::unique_ptr<KeyValueIterator>(
        std::make_unique<CachedRows>(std::move(held), std::move(stored), order, format_));
  }

  const ValueFormat format_;
};

}  // namespace

std::unique_ptr<KeyValueStore> with_cache(std::unique_ptr<KeyValueStore> store, ValueFormat format,
                                          const RecordCache& cache) {
  return std::make_unique<CachingKeyValueStore>(std::move(store), format, cache);
}

}  // namespace muir::store
