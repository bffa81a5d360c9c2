#include "store/session_store.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.h"
#include "store/internal/segment_walk.h"
#include "store/internal/session_key.h"
#include "store/internal/time_segments.h"

namespace muir::store {
namespace {

using internal::kSegmentSize;
using internal::SessionKey;
using internal::SessionQuery;
using Walk = internal::SegmentWalk<SessionKey, SessionQuery>;

class SegmentsIterator final : public SessionIterator {
 public:
  explicit SegmentsIterator(Walk walk) : walk_(std::move(walk)) {}
  bool next() override { return walk_.next(); }
  BytesView key() const override { return walk_.key().key; }
  SessionBounds session() const override { return walk_.key().session; }
  BytesView value() const override { return walk_.row(); }
  Status status() const override { return walk_.status(); }

 private:
  Walk walk_;
};

class SegmentedSessionStore final : public SessionStore {
 public:
  explicit SegmentedSessionStore(SessionStoreOptions options)
      : options_(with_defaults(std::move(options))),
        engine_(options_.kind == StoreKind::rocksdb ? internal::make_rocks_engine(options_.name)
                                                    : internal::make_memory_engine()),
        segments_(*engine_, options_.kind, options_.retention_ms, options_.segment_interval_ms) {}

  const std::string& name() const override { return options_.name; }
  const SessionStoreOptions& options() const override { return options_; }
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

  // Time moves on first, over the whole batch, so that sessions that are past keeping are never written.
  Status restore(std::span<const ChangelogRecord> records) override {
    int64_t newest = segments_.observed_ms();
    for (const ChangelogRecord& record : records) {
      newest = std::max(newest, MUIR_TRY(internal::parse_session_key(record.key)).session.end_ms);
    }
    MUIR_RETURN_IF_ERROR(segments_.advance(newest));
    for (const ChangelogRecord& record : records) {
      const SessionKey key = MUIR_TRY(internal::parse_session_key(record.key));
      // put() takes none that is backward or before the epoch.
      const bool none = !is_session(key.session) || segments_.expired(key.session.end_ms);
      if (!none) MUIR_RETURN_IF_ERROR(write(key, record.value));
    }
    return {};
  }

  Status put(BytesView key, SessionBounds session, OptBytesView value, int64_t timestamp_ms) override {
    if (!is_session(session)) {
      return error(Code::invalid_argument, "put store={}: session from {} to {} is none", name(), session.start_ms,
                   session.end_ms);
    }
    const SessionKey at{key, session};
    MUIR_RETURN_IF_ERROR(segments_.advance(session.end_ms));
    // The changelog gets every put, also one that the store drops, as Kafka Streams' does.
    if (segments_.expired(session.end_ms)) {
      ++expired_puts_;
      make_key(at);
    } else {
      MUIR_RETURN_IF_ERROR(write(at, value));
    }
    return changelog_ ? changelog_->log(BytesView(key_).substr(kSegmentSize), value, timestamp_ms) : Status();
  }

  Result<bool> fetch(BytesView key, SessionBounds session, Bytes& out) override {
    if (session.end_ms < segments_.oldest_readable()) return false;
    Bytes row_key;
    row_key.reserve(kSegmentSize + key.size() + internal::kSessionSuffixSize);
    internal::append_segment(segments_.of(session.end_ms), row_key);
    internal::append_session_key({key, session}, row_key);
    return engine_->get(row_key, out);
  }

  Result<std::unique_ptr<SessionIterator>> find(BytesView key, int64_t earliest_end_ms, int64_t latest_start_ms,
                                                Order order) override {
    return walk(
        {.from = Bytes(key), .to = Bytes(key), .earliest_end_ms = earliest_end_ms, .latest_start_ms = latest_start_ms},
        order);
  }
  Result<std::unique_ptr<SessionIterator>> find_range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                      int64_t earliest_end_ms, int64_t latest_start_ms,
                                                      Order order) override {
    return walk({.from = to_owned(from),
                 .to = to_owned(to),
                 .earliest_end_ms = earliest_end_ms,
                 .latest_start_ms = latest_start_ms},
                order);
  }
  Result<std::unique_ptr<SessionIterator>> ended(int64_t from_ms, int64_t to_ms) override {
    return walk({.earliest_end_ms = from_ms, .latest_end_ms = to_ms}, Order::ascending, from_ms);
  }

 private:
  static SessionStoreOptions with_defaults(SessionStoreOptions options) {
    if (options.segment_interval_ms == 0) {
      options.segment_interval_ms = internal::default_segment_interval_ms(options.retention_ms);
    }
    return options;
  }
  static bool is_session(SessionBounds session) { return session.start_ms >= 0 && session.end_ms >= session.start_ms; }

  // Leaves the row's key in key_; yields its segment.
  int64_t make_key(const SessionKey& key) {
    const int64_t segment = segments_.of(key.session.end_ms);
    key_.clear();
    internal::append_segment(segment, key_);
    internal::append_session_key(key, key_);
    return segment;
  }
  Status write(const SessionKey& key, OptBytesView value) {
    const int64_t segment = make_key(key);
    if (!value) return engine_->erase(key_);
    MUIR_RETURN_IF_ERROR(engine_->put(key_, *value));
    segments_.wrote(segment);
    return {};
  }

  Result<std::unique_ptr<SessionIterator>> walk(SessionQuery query, Order order) {
    const int64_t oldest_ms = segments_.oldest_readable();
    return walk(std::move(query), order, oldest_ms);
  }
  Result<std::unique_ptr<SessionIterator>> walk(SessionQuery query, Order order, int64_t oldest_ms) {
    query.earliest_end_ms = std::max(query.earliest_end_ms, oldest_ms);
    const auto span = segments_.between(query.earliest_end_ms, query.latest_end_ms);
    return std::unique_ptr<SessionIterator>(
        std::make_unique<SegmentsIterator>(MUIR_TRY(Walk::make(*engine_, std::move(query), span, order))));
  }

  const SessionStoreOptions options_;
  std::unique_ptr<internal::Engine> engine_;
  internal::TimeSegments segments_;
  ChangelogWriter* changelog_ = nullptr;
  std::atomic<uint64_t> expired_puts_ = 0;
  Bytes key_;  // of the write under way
};

class SessionSupplier final : public StoreSupplier {
 public:
  explicit SessionSupplier(SessionStoreOptions options) : options_(std::move(options)) {}
  const std::string& name() const override { return options_.name; }
  bool provides(const StoreFacet& facet) const override { return &facet == &SessionStore::kFacet; }
  Status check() const override {
    if (options_.retention_ms > 0) return {};
    return error(Code::invalid_argument, "session store {}: retention {} ms must be positive", options_.name,
                 options_.retention_ms);
  }
  // Sessions that nobody reads any more are deleted, also those whose keys never come again.
  std::map<std::string, std::string> changelog_configs(const ChangelogSettings& settings) const override {
    const int64_t more_ms = settings.additional_retention_ms;
    const bool overflows = options_.retention_ms > INT64_MAX - more_ms;
    return {{"cleanup.policy", "compact,delete"},
            {"retention.ms", std::to_string(overflows ? INT64_MAX : options_.retention_ms + more_ms)}};
  }
  std::unique_ptr<StateStore> make() const override { return make_session_store(options_); }

 private:
  const SessionStoreOptions options_;
};

}  // namespace

std::unique_ptr<SessionStore> make_session_store(SessionStoreOptions options) {
  return std::make_unique<SegmentedSessionStore>(std::move(options));
}
std::shared_ptr<const StoreSupplier> session_supplier(SessionStoreOptions options) {
  return std::make_shared<SessionSupplier>(std::move(options));
}

}  // namespace muir::store
