// A key-value store with a record cache above it.
#include <utility>

#include "store/internal/write_cache.h"
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
  Status status() const override { return rows_.stored().status(); }

 private:
  internal::CacheMerge<internal::VersionedMap::Walk, KeyValueIterator, KeyOfRow> rows_;
  const ValueFormat format_;
};

class CachingKeyValueStore final : public KeyValueStore, public CachedStore {
 public:
  CachingKeyValueStore(std::unique_ptr<KeyValueStore> stored, ValueFormat format, const RecordCache& cache)
      : stored_(std::move(stored)), format_(format), cache_(cache) {}

  const std::string& name() const override { return stored_->name(); }
  bool persistent() const override { return stored_->persistent(); }
  Status open(const std::string& folder) override { return stored_->open(folder); }
  void set_changelog(ChangelogWriter* writer) override { stored_->set_changelog(writer); }
  Status restore(std::span<const ChangelogRecord> records) override { return stored_->restore(records); }
  Status sync() override { return stored_->sync(); }
  Status close() override { return stored_->close(); }
  uint64_t dropped() const override { return stored_->dropped(); }
  StoreUsage usage() override {
    StoreUsage out = stored_->usage();
    out.memory_bytes += cache_.bytes();
    return out;
  }
  bool holds_back() const override { return !cache_.empty(); }
  void set_listener(CacheListener* listener, bool tells_old) override {
    listener_ = listener;
    tells_old_ = tells_old;
  }

  Status put(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    cache_.put(key, value, timestamp_ms);
    return cache_.must_flush() ? flush() : Status();
  }
  Result<bool> get(BytesView key, ValueAndTimestamp& out) override {
    switch (cache_.find(key, out)) {
      case WriteCache::Held::nothing: return stored_->get(key, out);
      case WriteCache::Held::erased: return false;
      case WriteCache::Held::value: break;
    }
    if (format_ == ValueFormat::plain) out.timestamp_ms = -1;
    return true;
  }
  Result<std::unique_ptr<KeyValueIterator>> range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                  Order order) override {
    auto held = cache_.walk(internal::closed_range(from, to), order);
    return merged(std::move(held), MUIR_TRY(stored_->range(from, to, order)), order);
  }
  Result<std::unique_ptr<KeyValueIterator>> prefix_scan(BytesView prefix, Order order) override {
    auto held = cache_.walk({.from = Bytes(prefix), .to = internal::prefix_end(prefix)}, order);
    return merged(std::move(held), MUIR_TRY(stored_->prefix_scan(prefix, order)), order);
  }
  // Of what is stored: keys that are only held are not counted.
  Result<uint64_t> approximate_entries() override { return stored_->approximate_entries(); }

  Status flush() override {
    return cache_.flush([this](BytesView key, const CacheEntry& entry) { return hand_on(key, entry); });
  }

 private:
  void* facet(const StoreFacet& wanted) override {
    if (&wanted == &CachedStore::kFacet) return static_cast<CachedStore*>(this);
    return KeyValueStore::facet(wanted);
  }

  Status hand_on(BytesView key, const CacheEntry& entry) {
    ValueAndTimestamp before;
    bool was_there = false;
    if (listener_ != nullptr && (!entry.value || tells_old_)) {
      was_there = MUIR_TRY(stored_->get(key, before));
      // Made and deleted between two flushes: nobody has heard of it.
      if (!entry.value && !was_there) return {};
    }
    MUIR_RETURN_IF_ERROR(stored_->put(key, entry.value, entry.timestamp_ms));
    if (listener_ == nullptr) return {};
    return listener_->flushed({.key = key,
                               .now = entry.value,
                               .before = tells_old_ && was_there ? OptBytesView(before.value) : std::nullopt,
                               .timestamp_ms = entry.timestamp_ms,
                               .context = entry.context});
  }
  Result<std::unique_ptr<KeyValueIterator>> merged(std::unique_ptr<internal::VersionedMap::Walk> held,
                                                   std::unique_ptr<KeyValueIterator> stored, Order order) const {
    return std::unique_ptr<KeyValueIterator>(
        std::make_unique<CachedRows>(std::move(held), std::move(stored), order, format_));
  }

  const std::unique_ptr<KeyValueStore> stored_;
  const ValueFormat format_;
  WriteCache cache_;
  CacheListener* listener_ = nullptr;
  bool tells_old_ = false;
};

}  // namespace

std::unique_ptr<KeyValueStore> with_cache(std::unique_ptr<KeyValueStore> store, ValueFormat format,
                                          const RecordCache& cache) {
  return std::make_unique<CachingKeyValueStore>(std::move(store), format, cache);
}

}  // namespace muir::store
