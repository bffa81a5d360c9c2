// A window store with a record cache above it. The cache's keys are the rows' keys of SegmentedWindowStore, so that
// both have one order.
#include <algorithm>
#include <atomic>
#include <utility>

#include "store/internal/caching_store.h"
#include "store/internal/window_key.h"
#include "store/internal/window_query.h"
#include "store/window_store.h"

namespace muir::store {
namespace {

using internal::CacheEntry;
using internal::WindowKey;
using internal::WindowQuery;
using internal::WriteCache;

class KeyOfWindow {
 public:
  explicit KeyOfWindow(int64_t segment_interval_ms) : segment_interval_ms_(segment_interval_ms) {}
  BytesView operator()(const WindowIterator& row) {
    bytes_.clear();
    internal::append_segment(row.window_start_ms() / segment_interval_ms_, bytes_);
    internal::append_window_key({row.key(), row.window_start_ms(), 0}, bytes_);
    return bytes_;
  }

 private:
  const int64_t segment_interval_ms_;
  Bytes bytes_;
};

// The rows of a query that are held, segment by segment.
class HeldWindows {
 public:
  struct Segments {
    int64_t first;
    int64_t last;
  };
  HeldWindows(std::unique_ptr<internal::VersionedMap::Walk> rows, WindowQuery query, Segments segments, Order order)
      : rows_(std::move(rows)),
        query_(std::move(query)),
        segments_(segments),
        segment_(order == Order::ascending ? segments.first : segments.last),
        step_(order == Order::ascending ? 1 : -1) {
    seek();
  }
  bool next() {
    while (in_range()) {
      if (!rows_->next()) {
        cut_short_ = rows_->cut_short();
        if (cut_short_) return false;
        segment_ += step_;
        seek();
        continue;
      }
      auto at = internal::parse_window_key(rows_->key().substr(internal::kSegmentSize));
      MUIR_CHECK(at.ok(), "a key that the cache made itself");
      at_ = *at;
      if (query_.matches(at_)) return true;
    }
    return false;
  }
  [[nodiscard]] BytesView key() const { return rows_->key(); }
  [[nodiscard]] OptBytesView value() const { return rows_->value(); }
  [[nodiscard]] const WindowKey& at() const { return at_; }
  // Whether the store was closed before the end.
  [[nodiscard]] bool cut_short() const { return cut_short_; }

 private:
  [[nodiscard]] bool in_range() const { return segment_ >= segments_.first && segment_ <= segments_.last; }
  void seek() {
    if (in_range()) rows_->seek(query_.rows(segment_));
  }
  const std::unique_ptr<internal::VersionedMap::Walk> rows_;
  const WindowQuery query_;
  const Segments segments_;
  int64_t segment_;
  const int64_t step_;
  WindowKey at_{};
  bool cut_short_ = false;
};

class CachedWindows final : public WindowIterator {
 public:
  CachedWindows(std::unique_ptr<HeldWindows> held, std::unique_ptr<WindowIterator> stored, Order order,
                const WindowStoreOptions& options)
      : rows_(std::move(held), std::move(stored), order, KeyOfWindow(options.segment_interval_ms)),
        format_(options.format) {}

  bool next() override { return rows_.next(); }
  BytesView key() const override { return rows_.held() ? rows_.walk().at().key : rows_.stored().key(); }
  int64_t window_start_ms() const override {
    return rows_.held() ? rows_.walk().at().window_start_ms : rows_.stored().window_start_ms();
  }
  BytesView value() const override { return rows_.held() ? *rows_.entry().value : rows_.stored().value(); }
  int64_t timestamp_ms() const override {
    if (!rows_.held()) return rows_.stored().timestamp_ms();
    return format_ == ValueFormat::timestamped ? rows_.entry().timestamp_ms : -1;
  }
  Status status() const override { return rows_.status(); }

 private:
  internal::CacheMerge<HeldWindows, WindowIterator, KeyOfWindow> rows_;
  const ValueFormat format_;
};

class CachingWindowStore final : public internal::CachingStore<WindowStore> {
 public:
  using CachingStore::CachingStore;

  const WindowStoreOptions& options() const override { return stored().options(); }

  Status put(BytesView key, OptBytesView value, int64_t window_start_ms, int64_t timestamp_ms) override {
    if (window_start_ms < 0) {
      return error(Code::invalid_argument, "put store={}: window start {} is negative", name(), window_start_ms);
    }
    observed_ms_ = std::max(observed_ms_.load(), window_start_ms);
    row_key(key, window_start_ms, key_);
    cache().put(key_, value, timestamp_ms);
    return cache().must_flush() ? flush() : Status();
  }
  Result<bool> fetch(BytesView key, int64_t window_start_ms, ValueAndTimestamp& out) override {
    if (window_start_ms < oldest_readable()) return false;
    Bytes at;
    row_key(key, window_start_ms, at);
    switch (cache().find(at, out)) {
      case WriteCache::Held::nothing: return stored().fetch(key, window_start_ms, out);
      case WriteCache::Held::erased: return false;
      case WriteCache::Held::value: break;
    }
    if (options().format == ValueFormat::plain) out.timestamp_ms = -1;
    return true;
  }
  Result<std::unique_ptr<WindowIterator>> fetch(BytesView key, int64_t from_ms, int64_t to_ms, Order order) override {
    return fetch_range(key, key, from_ms, to_ms, order);
  }
  Result<std::unique_ptr<WindowIterator>> fetch_range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                      int64_t from_ms, int64_t to_ms, Order order) override {
    from_ms = std::max(from_ms, oldest_readable());
    WindowQuery query{to_owned(from), to_owned(to), from_ms, to_ms};
    const int64_t interval_ms = options().segment_interval_ms;
    const int64_t newest_ms = std::min(to_ms, observed_ms_.load());
    const HeldWindows::Segments segments{from_ms / interval_ms, newest_ms < 0 ? -1 : newest_ms / interval_ms};
    auto walk = cache().walk({}, order);
    const bool one_key = query.one_key();
    auto held = std::make_unique<HeldWindows>(std::move(walk), std::move(query), segments, order);
    auto rows = one_key ? MUIR_TRY(stored().fetch(*from, from_ms, to_ms, order))
                        : MUIR_TRY(stored().fetch_range(from, to, from_ms, to_ms, order));
    return std::unique_ptr<WindowIterator>(
        std::make_unique<CachedWindows>(std::move(held), std::move(rows), order, options()));
  }

  Status flush() override {
    return cache().flush([this](BytesView key, const CacheEntry& entry) -> Status {
      const WindowKey at = MUIR_TRY(internal::parse_window_key(key.substr(internal::kSegmentSize)));
      return hand_on(
          entry, {.key = at.key, .window_start_ms = at.window_start_ms},
          [&](ValueAndTimestamp& before) { return stored().fetch(at.key, at.window_start_ms, before); },
          [&] { return stored().put(at.key, entry.value, at.window_start_ms, entry.timestamp_ms); });
    });
  }

 private:
  void row_key(BytesView key, int64_t window_start_ms, Bytes& out) const {
    out.clear();
    internal::append_segment(window_start_ms / options().segment_interval_ms, out);
    internal::append_window_key({key, window_start_ms, 0}, out);
  }
  // Time moves on with what is held as with what is stored.
  [[nodiscard]] int64_t oldest_readable() const {
    return std::max<int64_t>(0, observed_ms_ - options().retention_ms + 1);
  }
  std::atomic<int64_t> observed_ms_ = -1;  // read by other threads
  Bytes key_;                              // of the write under way
};

}  // namespace

std::unique_ptr<WindowStore> with_cache(std::unique_ptr<WindowStore> store, const RecordCache& cache) {
  return std::make_unique<CachingWindowStore>(std::move(store), cache);
}

}  // namespace muir::store
