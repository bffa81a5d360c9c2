// CachingStore: what stores of all kinds with a record cache above them have in common.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "store/internal/write_cache.h"

namespace muir::store::internal {

// `Interface` is that of the store below, and of this one: KeyValueStore or its like.
template <class Interface>
class CachingStore : public Interface, public CachedStore {
 public:
  CachingStore(std::unique_ptr<Interface> stored, const RecordCache& cache)
      : stored_(std::move(stored)), cache_(cache) {}

  const std::string& name() const override { return stored_->name(); }
  bool persistent() const override { return stored_->persistent(); }
  Status open(const std::string& folder, Env& files) override { return stored_->open(folder, files); }
  void set_changelog(ChangelogWriter* writer) override { stored_->set_changelog(writer); }
  Status restore(std::span<const ChangelogRecord> records) override { return stored_->restore(records); }
  Status sync() override { return stored_->sync(); }
  Status close() override {
    Status closed = stored_->close();
    cache_.close();
    return closed;
  }
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

 protected:
  void* facet(const StoreFacet& wanted) override {
    if (&wanted == &CachedStore::kFacet) return static_cast<CachedStore*>(this);
    return Interface::facet(wanted);
  }

  [[nodiscard]] Interface& stored() const { return *stored_; }
  [[nodiscard]] WriteCache& cache() { return cache_; }

  // Hands an entry on to the store below and to the listener. `change` says where it belongs; read(before) -> whether
  // the store has something there; write() puts the entry.
  template <class Read, class Write>
  Status hand_on(const CacheEntry& entry, CachedChange change, Read&& read, Write&& write) {
    ValueAndTimestamp before;
    bool was_there = false;
    if (listener_ != nullptr && (!entry.value || tells_old_)) {
      was_there = MUIR_TRY(read(before));
      // Made and deleted between two flushes: nobody has heard of it.
      if (!entry.value && !was_there) return {};
    }
    MUIR_RETURN_IF_ERROR(write());
    if (listener_ == nullptr) return {};
    change.now = entry.value;
    if (tells_old_ && was_there) change.before = before.value;
    change.timestamp_ms = entry.timestamp_ms;
    change.context = entry.context;
    return listener_->flushed(change);
  }

 private:
  const std::unique_ptr<Interface> stored_;
  WriteCache cache_;
  CacheListener* listener_ = nullptr;
  bool tells_old_ = false;
};

}  // namespace muir::store::internal
