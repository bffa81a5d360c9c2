#include "store/window_store.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.h"
#include "store/internal/engine.h"
#include "store/internal/value_format.h"
#include "store/internal/window_key.h"
#include "store/internal/window_query.h"

namespace muir::store {
namespace {

using internal::kSegmentSize;
using internal::WindowKey;

constexpr int64_t kSegmentIntervalMinMs = 60'000;
constexpr int64_t kNever = -1;
using internal::WindowQuery;

// Segment by segment, all as they were when it was made.
class SegmentsIterator final : public WindowIterator {
 public:
  struct Segments {
    int64_t first = 0;
    int64_t last = kNever;
  };
  SegmentsIterator(std::unique_ptr<internal::EngineIterator> rows, WindowQuery query, Segments segments, Order order,
                   ValueFormat format)
      : rows_(std::move(rows)),
        query_(std::move(query)),
        segments_(segments),
        segment_(order == Order::ascending ? segments.first : segments.last),
        step_(order == Order::ascending ? 1 : -1),
        format_(format) {}

  // The iterator stands in the range of the segment that it begins with.
  static int64_t begins_with(Segments segments, Order order) {
    return order == Order::ascending ? segments.first : segments.last;
  }

  bool next() override {
    while (status_.ok() && segment_ >= segments_.first && segment_ <= segments_.last) {
      if (rows_->next()) {
        if (read_row()) return true;
        continue;
      }
      status_ = rows_->status();
      segment_ += step_;
      if (status_.ok() && segment_ >= segments_.first && segment_ <= segments_.last) {
        rows_->seek(query_.rows(segment_));
      }
    }
    return false;
  }
  BytesView key() const override { return at_.key; }
  int64_t window_start_ms() const override { return at_.window_start_ms; }
  BytesView value() const override { return row_.value; }
  int64_t timestamp_ms() const override { return row_.timestamp_ms; }
  Status status() const override { return status_; }

 private:
  bool read_row() {
    auto at = rows_->key().size() < kSegmentSize ? error(Code::data_loss, "window store: short key")
                                                 : internal::parse_window_key(rows_->key().substr(kSegmentSize));
    if (!at.ok()) {
      status_ = at.status();
      return false;
    }
    at_ = *at;
    if (!query_.matches(at_)) return false;
    auto row = internal::decode_row(format_, rows_->value());
    if (!row.ok()) {
      status_ = row.status();
      return false;
    }
    row_ = *row;
    return true;
  }

  const std::unique_ptr<internal::EngineIterator> rows_;
  const WindowQuery query_;
  const Segments segments_;
  int64_t segment_;  // under way
  const int64_t step_;
  const ValueFormat format_;
  WindowKey at_{};
  internal::RowView row_{};
  Status status_;
};

class SegmentedWindowStore final : public WindowStore {
 public:
  explicit SegmentedWindowStore(WindowStoreOptions options)
      : options_(with_defaults(std::move(options))),
        engine_(options_.kind == StoreKind::rocksdb ? internal::make_rocks_engine(options_.name)
                                                    : internal::make_memory_engine()) {}

  const std::string& name() const override { return options_.name; }
  const WindowStoreOptions& options() const override { return options_; }
  bool persistent() const override { return options_.kind == StoreKind::rocksdb; }
  void set_changelog(ChangelogWriter* writer) override { changelog_ = writer; }
  StoreUsage usage() override { return engine_->usage(); }
  Status sync() override { return engine_->sync(); }
  Status close() override { return engine_->close(); }
  uint64_t dropped() const override { return expired_puts_; }

  Status open(const std::string& folder) override {
    MUIR_RETURN_IF_ERROR(engine_->open(folder));
    first_segment_ = MUIR_TRY(edge_segment(Order::ascending));
    last_segment_ = MUIR_TRY(edge_segment(Order::descending));
    // Some window of the newest segment was put: time is at least its start.
    if (last_segment_ != kNever) observed_ms_ = last_segment_ * options_.segment_interval_ms;
    return {};
  }

  // Time moves on first, over the whole batch, so that windows that are past keeping are never written.
  Status restore(std::span<const ChangelogRecord> records) override {
    int64_t newest = observed_ms_;
    for (const ChangelogRecord& record : records) {
      newest = std::max(newest, MUIR_TRY(internal::parse_window_key(record.key)).window_start_ms);
    }
    MUIR_RETURN_IF_ERROR(advance(newest));
    for (const ChangelogRecord& record : records) {
      const WindowKey key = MUIR_TRY(internal::parse_window_key(record.key));
      // put() takes no negative ones, and their segments would lie behind all others.
      const bool none = key.window_start_ms < 0 || expired(key.window_start_ms);
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
    if (!adds_nothing) MUIR_RETURN_IF_ERROR(advance(window_start_ms));
    if (adds_nothing) {
      make_key(at);
    } else if (expired(window_start_ms)) {
      ++expired_puts_;
      make_key(at);
    } else {
      MUIR_RETURN_IF_ERROR(write(at, value, timestamp_ms));
    }
    return changelog_ ? changelog_->log(BytesView(key_).substr(kSegmentSize), value, timestamp_ms) : Status();
  }

  Result<bool> fetch(BytesView key, int64_t window_start_ms, ValueAndTimestamp& out) override {
    if (window_start_ms < oldest_readable()) return false;
    Bytes row_key;
    row_key.reserve(kSegmentSize + key.size() + internal::kWindowSuffixSize);
    internal::append_segment(segment_of(window_start_ms), row_key);
    internal::append_window_key({key, window_start_ms, 0}, row_key);
    const bool found = MUIR_TRY(engine_->get(row_key, out.value));
    if (found) MUIR_RETURN_IF_ERROR(internal::split_row(options_.format, out));
    return found;
  }

  Result<std::unique_ptr<WindowIterator>> fetch(BytesView key, int64_t from_ms, int64_t to_ms, Order order) override {
    return segments({Bytes(key), Bytes(key), from_ms, to_ms}, order);
  }

  Result<std::unique_ptr<WindowIterator>> fetch_range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                      int64_t from_ms, int64_t to_ms, Order order) override {
    return segments({to_owned(from), to_owned(to), from_ms, to_ms}, order);
  }

 private:
  static WindowStoreOptions with_defaults(WindowStoreOptions options) {
    MUIR_CHECK(options.retention_ms >= options.window_size_ms,
               "window store {}: retention {} ms below window size {} ms", options.name, options.retention_ms,
               options.window_size_ms);
    if (options.segment_interval_ms == 0) {
      options.segment_interval_ms = std::max(options.retention_ms / 2, kSegmentIntervalMinMs);
    }
    return options;
  }

  [[nodiscard]] int64_t segment_of(int64_t time_ms) const { return time_ms / options_.segment_interval_ms; }
  [[nodiscard]] int64_t oldest_readable() const {
    return std::max<int64_t>(0, observed_ms_ - options_.retention_ms + 1);
  }
  [[nodiscard]] int64_t oldest_live_segment() const {
    return segment_of(std::max<int64_t>(0, observed_ms_ - options_.retention_ms));
  }
  [[nodiscard]] bool expired(int64_t window_start_ms) const {
    if (options_.kind == StoreKind::in_memory) return window_start_ms <= observed_ms_ - options_.retention_ms;
    return segment_of(window_start_ms) < oldest_live_segment();
  }

  // Moves time on and drops the segments that this puts past the retention.
  Status advance(int64_t time_ms) {
    if (time_ms <= observed_ms_) return {};
    observed_ms_ = time_ms;
    const int64_t live = oldest_live_segment();
    if (first_segment_ == kNever || first_segment_ >= live) return {};
    Bytes from;
    Bytes to;
    internal::append_segment(first_segment_, from);
    internal::append_segment(live, to);
    MUIR_RETURN_IF_ERROR(engine_->erase_range(from, to));
    first_segment_ = live > last_segment_ ? kNever : live;
    if (first_segment_ == kNever) last_segment_ = kNever;
    return {};
  }

  // Leaves the row's key in key_; yields its segment.
  int64_t make_key(const WindowKey& key) {
    const int64_t segment = segment_of(key.window_start_ms);
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
    if (first_segment_ == kNever || segment < first_segment_) first_segment_ = segment;
    if (segment > last_segment_) last_segment_ = segment;
    return {};
  }

  Result<std::unique_ptr<WindowIterator>> segments(WindowQuery query, Order order) {
    query.from_ms = std::max(query.from_ms, oldest_readable());
    const int64_t oldest = first_segment_;
    SegmentsIterator::Segments found;
    if (oldest != kNever && query.to_ms >= 0) {
      found = {std::max(oldest, segment_of(query.from_ms)), std::min(last_segment_.load(), segment_of(query.to_ms))};
    }
    const bool none = found.first > found.last;
    const int64_t begin = none ? 0 : SegmentsIterator::begins_with(found, order);
    auto rows = none ? nullptr : MUIR_TRY(engine_->iterate(query.rows(begin), order));
    return std::unique_ptr<WindowIterator>(
        std::make_unique<SegmentsIterator>(std::move(rows), std::move(query), found, order, options_.format));
  }

  Result<int64_t> edge_segment(Order order) {
    const auto rows = MUIR_TRY(engine_->iterate({}, order));
    if (!rows->next()) {
      MUIR_RETURN_IF_ERROR(rows->status());
      return kNever;
    }
    ByteReader reader(rows->key());
    const int64_t segment = reader.i64();
    if (!reader.ok())
      return error(Code::data_loss, "open window store {}: key of {} bytes", name(), rows->key().size());
    return segment;
  }

  const WindowStoreOptions options_;
  std::unique_ptr<internal::Engine> engine_;
  ChangelogWriter* changelog_ = nullptr;
  // Read by other threads as hints about what there is; written by the owner.
  std::atomic<int64_t> observed_ms_ = kNever;
  std::atomic<int64_t> first_segment_ = kNever;
  std::atomic<int64_t> last_segment_ = kNever;
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
