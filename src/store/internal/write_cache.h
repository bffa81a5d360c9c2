// WriteCache: the entries of one store's record cache, found by key and walked in order. Written by the store's owner;
// reads are thread-safe beside it.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "store/internal/versioned_map.h"
#include "store/record_cache.h"

namespace muir::store::internal {

// Views into the bytes it was read from.
struct CacheEntry {
  uint64_t sequence = 0;  // of the write, among those of the store
  int64_t timestamp_ms = -1;
  OptBytesView value{};
  BytesView context{};
};
CacheEntry decode_cache_entry(BytesView bytes);

class WriteCache {
 public:
  explicit WriteCache(const RecordCache& shared) : shared_(shared) {}
  ~WriteCache() { shared_.budget->give_back(counted_); }
  WriteCache(const WriteCache&) = delete;
  WriteCache& operator=(const WriteCache&) = delete;

  void put(BytesView key, OptBytesView value, int64_t timestamp_ms);
  enum class Held : unsigned char { nothing, erased, value };
  Held find(BytesView key, ValueAndTimestamp& out) const;
  // Values are entries. Begin it before an iterator of the store below: what is handed on in between is then seen.
  [[nodiscard]] std::unique_ptr<VersionedMap::Walk> walk(KeyRange range, Order order);
  // Forgets what is held, and ends the walks that are left.
  void close();
  [[nodiscard]] bool empty() const;
  [[nodiscard]] size_t bytes() const;
  [[nodiscard]] bool must_flush() const { return !flushing_ && shared_.budget->exceeded(); }

  // Hands on what is held, in the order of the last writes. An entry is held until hand_on(key, entry) has succeeded,
  // and further if it was written anew meanwhile.
  template <class HandOn>
  Status flush(HandOn&& hand_on) {
    if (flushing_) return {};
    const Flushing guard(flushing_);
    for (const Bytes& key : by_age()) {
      if (!copy(key, entry_)) continue;
      const Bytes bytes = std::move(entry_);  // hand_on() may come back here through what it forwards
      const CacheEntry entry = decode_cache_entry(bytes);
      MUIR_RETURN_IF_ERROR(hand_on(BytesView(key), entry));
      drop(key, entry.sequence);
    }
    return {};
  }

 private:
  struct Flushing {
    explicit Flushing(bool& flag) : flag_(flag) { flag_ = true; }
    ~Flushing() { flag_ = false; }
    bool& flag_;
  };
  // Keys, the one written longest ago first.
  [[nodiscard]] std::vector<Bytes> by_age() const;
  bool copy(BytesView key, Bytes& out) const;
  void drop(BytesView key, uint64_t sequence);
  void count();

  const RecordCache shared_;
  const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();  // shared with walks
  std::shared_ptr<VersionedMap> entries_ = std::make_shared<VersionedMap>(mutex_, false);
  size_t counted_ = 0;  // towards the budget
  uint64_t sequence_ = 0;
  bool flushing_ = false;
  Bytes entry_;
};

// What is held over what is stored: the rows of both in one order. `Held` is a walk over the cache, `RowKey` gives the
// cache's key of the stored iterator's row.
template <class Held, class Stored, class RowKey>
class CacheMerge {
 public:
  CacheMerge(std::unique_ptr<Held> held, std::unique_ptr<Stored> stored, Order order, RowKey row_key)
      : held_(std::move(held)), stored_(std::move(stored)), order_(order), row_key_(std::move(row_key)) {}

  bool next() {
    while (true) {
      if (at_ == At::start || at_ == At::held || at_ == At::both) more_held_ = held_->next();
      if (at_ == At::start || at_ == At::stored || at_ == At::both) {
        more_stored_ = stored_->next();
        if (more_stored_) stored_key_ = row_key_(*stored_);
      }
      at_ = choose();
      if (at_ == At::end) return false;
      if (at_ == At::stored) return true;
      entry_ = decode_cache_entry(*held_->value());
      if (entry_.value) return true;
    }
  }
  // Whether the row is a held one; else the stored iterator has it.
  [[nodiscard]] bool held() const { return at_ != At::stored; }
  [[nodiscard]] const Held& walk() const { return *held_; }
  [[nodiscard]] const CacheEntry& entry() const { return entry_; }
  [[nodiscard]] const Stored& stored() const { return *stored_; }
  [[nodiscard]] Status status() const {
    Status stored = stored_->status();
    return stored.ok() && held_->cut_short() ? store_was_closed() : stored;
  }

 private:
  enum class At : unsigned char { start, held, stored, both, end };
  [[nodiscard]] At choose() const {
    // Between two held rows the store may have been closed, and what stored_key_ points to with it.
    if (at_ == At::end || ((at_ == At::held || !more_stored_) && !stored_->status().ok())) return At::end;
    if (!more_held_ && !more_stored_) return At::end;
    if (!more_held_) return At::stored;
    if (!more_stored_) return At::held;
    const int order = held_->key().compare(stored_key_);
    if (order == 0) return At::both;
    return (order < 0) == (order_ == Order::ascending) ? At::held : At::stored;
  }

  const std::unique_ptr<Held> held_;
  const std::unique_ptr<Stored> stored_;
  const Order order_;
  RowKey row_key_;
  BytesView stored_key_;
  At at_ = At::start;
  bool more_held_ = false;
  bool more_stored_ = false;
  CacheEntry entry_{};
};

}  // namespace muir::store::internal
