// SessionStore: one value per key and session, a stretch of time from its first record to its last. Forgotten when the
// retention has passed since its end.
//
// Time is the greatest end put so far. Sessions are kept in segments of time by their ends, as windows are by their
// starts: window_store.h says what that means.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/key_value_store.h"

namespace muir::store {

struct SessionStoreOptions {
  std::string name{};
  StoreKind kind = StoreKind::rocksdb;
  int64_t retention_ms = 0;         // above 0
  int64_t segment_interval_ms = 0;  // 0: Kafka's default, half of the retention but at least one minute
};

// Both ends included.
struct SessionBounds {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  auto operator<=>(const SessionBounds&) const = default;
};

// As KeyValueIterator.
class SessionIterator {
 public:
  virtual ~SessionIterator() = default;
  virtual bool next() = 0;
  [[nodiscard]] virtual BytesView key() const = 0;
  [[nodiscard]] virtual SessionBounds session() const = 0;
  [[nodiscard]] virtual BytesView value() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

class SessionStore : public StateStore {
 public:
  static constexpr StoreFacet kFacet{"session"};

  // `value` absent: removes. A session that ended before the retention is dropped, though not from the changelog, and
  // counted in dropped(). `timestamp_ms` is the changelog record's.
  virtual Status put(BytesView key, SessionBounds session, OptBytesView value, int64_t timestamp_ms) = 0;
  // Reads into `out`; false when there is no such session. Thread-safe.
  virtual Result<bool> fetch(BytesView key, SessionBounds session, Bytes& out) = 0;
  // Sessions of one key that end at `earliest_end_ms` or later and start at `latest_start_ms` or before, by their ends,
  // then by their starts. Thread-safe.
  virtual Result<std::unique_ptr<SessionIterator>> find(BytesView key, int64_t earliest_end_ms, int64_t latest_start_ms,
                                                        Order order = Order::ascending) = 0;
  // The same of keys between `from` and `to` (both included, absent: open): by segment, then by key, end and start.
  // Thread-safe.
  virtual Result<std::unique_ptr<SessionIterator>> find_range(std::optional<BytesView> from,
                                                              std::optional<BytesView> to, int64_t earliest_end_ms,
                                                              int64_t latest_start_ms,
                                                              Order order = Order::ascending) = 0;
  // Sessions of all keys that end in the time range, both ends included, in the order of find_range; also those past
  // the retention that are still there, for who tells each session once when it is over. Thread-safe.
  virtual Result<std::unique_ptr<SessionIterator>> ended(int64_t from_ms, int64_t to_ms) = 0;

  [[nodiscard]] virtual const SessionStoreOptions& options() const = 0;

 protected:
  void* facet(const StoreFacet& wanted) override { return &wanted == &kFacet ? this : nullptr; }
};

std::unique_ptr<SessionStore> make_session_store(SessionStoreOptions options);
std::shared_ptr<const StoreSupplier> session_supplier(SessionStoreOptions options);

}  // namespace muir::store
