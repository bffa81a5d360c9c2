// The record cache: what a task has written to a store last and has not handed on yet. A store with a cache above it
// tells its changelog and its listener of a key once, with the newest value, when the cache is flushed: at each commit,
// and when the memory that the caches of a stream thread share is used up.
//
// As Kafka Streams' ThreadCache and NamedCache: reads see what is held; changes are handed on in the order in which the
// keys were written last; the changelog gets what the listener gets.
#pragma once

#include <cstdint>
#include <memory>

#include "store/state_store.h"

namespace muir::store {

// What the caches of one stream thread may hold together. Owned by that thread; outlives its stores.
class CacheBudget {
 public:
  explicit CacheBudget(size_t bytes_max) : bytes_max_(bytes_max) {}
  void take(size_t bytes) { used_ += bytes; }
  void give_back(size_t bytes) { used_ -= bytes; }
  [[nodiscard]] bool exceeded() const { return used_ > bytes_max_; }
  [[nodiscard]] bool enabled() const { return bytes_max_ > 0; }
  [[nodiscard]] size_t used() const { return used_; }

 private:
  const size_t bytes_max_;
  size_t used_ = 0;
};

// Says what a write belongs to, in bytes of its owner's choice: they come back with the change.
class CacheContext {
 public:
  virtual ~CacheContext() = default;
  virtual void save(Bytes& out) const = 0;
};

// What a cached store is made with. Both are borrowed and outlive it.
struct RecordCache {
  CacheBudget* budget = nullptr;
  const CacheContext* context = nullptr;
};

// A key's change since the last flush. Borrowed for the call.
struct CachedChange {
  BytesView key;
  int64_t window_start_ms = 0;  // of window stores
  OptBytesView now{};
  OptBytesView before{};  // if the listener asked for it
  int64_t timestamp_ms = -1;
  BytesView context{};  // of the last write
};

class CacheListener {
 public:
  virtual ~CacheListener() = default;
  // The store has the change already. A failure ends the flush; what was not handed on is still held.
  virtual Status flushed(const CachedChange& change) = 0;
};

// The interface that stores with a cache have besides their own.
class CachedStore {
 public:
  static constexpr StoreFacet kFacet{"cached"};
  virtual ~CachedStore() = default;
  // Not owned; null: nobody. Set by the owner before it writes.
  virtual void set_listener(CacheListener* listener, bool tells_old) = 0;
};

}  // namespace muir::store
