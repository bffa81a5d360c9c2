#include "store/window_store.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.h"
#include "store/internal/segment_walk.h"
#include "store/internal/time_segments.h"
#include "store/internal/value_format.h"
#include "store/internal/window_key.h"
#include "store/internal/window_query.h"

namespace muir::store {
namespace {

using internal::kSegmentSize;
using internal::WindowKey;
using internal::WindowQuery;
using Walk = internal::SegmentWalk<WindowKey, WindowQuery>;

class SegmentsIterator final : public WindowIterator {
 public:
  SegmentsIterator(Walk walk, ValueFormat format) : walk_(std::move(walk)), format_(format) {}

  bool next() override {
    if (!walk_.next()) return false;
    auto row = internal::decode_row(format_, walk_.row());
    if (!row.ok()) walk_.fail(row.status());
    if (row.ok()) row_ = *row;
    return row.ok();
  }
  BytesView key() const override { return walk_.key().key; }
  int64_t window_start_ms() const override { return walk_.key().window_start_ms; }
  BytesView value() const override { return row_.value; }
  int64_t timestamp_ms() const override { return row_.timestamp_ms; }
  Status status() const override { return walk_.status(); }

 private:
  Walk walk_;
  const ValueFormat format_;
  internal::RowView row_{};
};

class SegmentedWindowStore final : public WindowStore {
 public:
  explicit SegmentedWindowStore(WindowStoreOptions options)
      : options_(with_defaults(std::move(options))),
        engine_(options_.kind == StoreKind::rocksdb ? internal::make_rocks_engine(options_.name)
                                                    : internal::make_memory_engine()),
        segments_(*engine_, options_.kind, options_.retention_ms, options_.segment_interval_ms) {}

  const std::string& name() const override { return options_.name; }
  const WindowStoreOptions& options() const override { return options_; }
  bool persistent() const override { return options_.kind == StoreKind::rocksdb; }
  void set_changelog(ChangelogWriter* writer) override { changelog_ = writer; }
  StoreUsage usage() override { return engine_->usage(); }
  Status sync() override { return engine_->sync(); }
  Status close() override { return engine_->close(); }
  uint64_t dropped() const override { return expired_puts_; }

  Status open(const std::string& folder, Env& files) override {
    MUIR_RETURN_IF_ERROR(engine_->open(folder, files));
    return segments_.load();
  }

  // Time moves on first, over the whole batch, so that windows that are past keeping are never written.
  Status restore(std::span<const ChangelogRecord> records) override {
    int64_t newest = segments_.observed_ms();
    for (const ChangelogRecord& record : records) {
      newest = std::max(newest, MUIR_TRY(internal::parse_window_key(record.key)).window_start_ms);
    }
    MUIR_RETURN_IF_ERROR(segments_.advance(newest));
    for (const ChangelogRecord& record : records) {
      const WindowKey key = MUIR_TRY(internal::parse_window_key(record.key));
      // put() takes no negative ones, and their segments would lie behind all others.
      const bool none = key.window_start_ms < 0 || segments_.expired(key.window_start_ms);
      if (!none) MUIR_RETURN_IF_ERROR(write(key, record.value, record.timestamp_ms));
    }
    return {};
  }

  Status put(BytesView key, OptBytesView value, int64_t window_start_ms, int64_t timestamp_ms) override {
    if (window_start_ms < 0) {
      return error(Code::invalid_argument, "put store={}: window start {} is negative", name(), window_start_ms);
    }
    WindowKey at{key, window_start_ms, 0};
    if (options_.retain_duplicates) {
      sequence_ = (sequence_ + 1) & INT32_MAX;
      at.sequence = sequence_;
    }
    // The changelog gets every put, also one that the store drops, as Kafka Streams' does.
    const bool adds_nothing = options_.retain_duplicates && !value;
    if (!adds_nothing) MUIR_RETURN_IF_ERROR(segments_.advance(window_start_ms));
    if (adds_nothing) {
      make_key(at);
    } else if (segments_.expired(window_start_ms)) {
      ++expired_puts_;
      make_key(at);
    } else {
      MUIR_RETURN_IF_ERROR(write(at, value, timestamp_ms));
    }
    return changelog_ ? changelog_->log(BytesView(key_).substr(kSegmentSize), value, timestamp_ms) : Status();
  }

  Result<bool> fetch(BytesView key, int64_t window_start_ms, ValueAndTimestamp& out) override {
    if (window_start_ms < segments_.oldest_readable()) return false;
    Bytes row_key;
    row_key.reserve(kSegmentSize + key.size() + internal::kWindowSuffixSize);
    internal::append_segment(segments_.of(window_start_ms), row_key);
    internal::append_window_key({key, window_start_ms, 0}, row_key);
    const bool found = MUIR_TRY(engine_->get(row_key, out.value));
    if (found) MUIR_RETURN_IF_ERROR(internal::split_row(options_.format, out));
    return found;
  }

  Result<std::unique_ptr<WindowIterator>> fetch(BytesView key, int64_t from_ms, int64_t to_ms, Order order) override {
    return walk({Bytes(key), Bytes(key), from_ms, to_ms}, order);
  }

  Result<std::unique_ptr<WindowIterator>> fetch_range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                      int64_t from_ms, int64_t to_ms, Order order) override {
    return walk({to_owned(from), to_owned(to), from_ms, to_ms}, order);
  }

 private:
  static WindowStoreOptions with_defaults(WindowStoreOptions options) {
    MUIR_CHECK(options.retention_ms >= options.window_size_ms,
               "window store {}: retention {} ms below window size {} ms", options.name, options.retention_ms,
               options.window_size_ms);
    if (options.segment_interval_ms == 0) {
      options.segment_interval_ms = internal::default_segment_interval_ms(options.retention_ms);
    }
    return options;
  }

  // Leaves the row's key in key_; yields its segment.
  int64_t make_key(const WindowKey& key) {
    const int64_t segment = segments_.of(key.window_start_ms);
    key_.clear();
    internal::append_segment(segment, key_);
    internal::append_window_key(key, key_);
    return segment;
  }
  // make_key(), and the row.
  Status write(const WindowKey& key, OptBytesView value, int64_t timestamp_ms) {
    const int64_t segment = make_key(key);
    if (!value) return engine_->erase(key_);
    internal::encode_row(options_.format, *value, timestamp_ms, row_);
    MUIR_RETURN_IF_ERROR(engine_->put(key_, row_));
    segments_.wrote(segment);
    return {};
  }

  Result<std::unique_ptr<WindowIterator>> walk(WindowQuery query, Order order) {
    query.from_ms = std::max(query.from_ms, segments_.oldest_readable());
    const auto span = segments_.between(query.from_ms, query.to_ms);
    return std::unique_ptr<WindowIterator>(std::make_unique<SegmentsIterator>(
        MUIR_TRY(Walk::make(*engine_, std::move(query), span, order)), options_.format));
  }

  const WindowStoreOptions options_;
  std::unique_ptr<internal::Engine> engine_;
  internal::TimeSegments segments_;
  ChangelogWriter* changelog_ = nullptr;
  std::atomic<uint64_t> expired_puts_ = 0;
  int32_t sequence_ = 0;
  Bytes key_;  // of the write under way
  Bytes row_;
};

class WindowSupplier final : public StoreSupplier {
 public:
  explicit WindowSupplier(WindowStoreOptions options) : options_(std::move(options)) {}
  const std::string& name() const override { return options_.name; }
  bool provides(const StoreFacet& facet) const override { return &facet == &WindowStore::kFacet; }
  Status check() const override {
    // Of duplicates the size says nothing: they are what came, and when.
    if (options_.window_size_ms < (options_.retain_duplicates ? 0 : 1)) {
      return error(Code::invalid_argument, "window store {}: window size {} ms must be positive", options_.name,
                   options_.window_size_ms);
    }
    if (options_.retention_ms < options_.window_size_ms) {
      return error(Code::invalid_argument, "window store {}: retention {} ms below the window size, {} ms",
                   options_.name, options_.retention_ms, options_.window_size_ms);
    }
    return {};
  }
  // Windows that nobody reads any more are deleted, also those whose keys never come again.
  std::map<std::string, std::string> changelog_configs(const ChangelogSettings& settings) const override {
    const int64_t more_ms = settings.additional_retention_ms;
    const bool overflows = options_.retention_ms > INT64_MAX - more_ms;
    return {{"cleanup.policy", "compact,delete"},
            {"retention.ms", std::to_string(overflows ? INT64_MAX : options_.retention_ms + more_ms)}};
  }
  std::unique_ptr<StateStore> make() const override { return make_window_store(options_); }
  // Every duplicate is a row of its own: there is nothing to hold back.
  std::unique_ptr<StateStore> make_cached(const RecordCache& cache) const override {
    if (options_.retain_duplicates) return make();
    return with_cache(make_window_store(options_), cache);
  }

 private:
  const WindowStoreOptions options_;
};

}  // namespace

std::shared_ptr<const StoreSupplier> window_supplier(WindowStoreOptions options) {
  return std::make_shared<WindowSupplier>(std::move(options));
}
std::unique_ptr<WindowStore> make_window_store(WindowStoreOptions options) {
  return std::make_unique<SegmentedWindowStore>(std::move(options));
}

}  // namespace muir::store
