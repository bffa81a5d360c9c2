// VersionedMap: bytes by key, found by hash and walked in order. Who walks sees the map as it was when he began,
// however it is written meanwhile.
//
// Point reads and writes cost a hash look-up. The order is an index that the first walk makes and that new keys are
// added to from then on, so that a map which nobody walks does not pay for it. A version that an open walk still needs
// is kept behind the newer one; with no walk open there is one version of a key.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "store/internal/engine.h"

namespace muir::store::internal {

// Every method is called with the mutex held, except those of Walk, which take it themselves. Shared by its owner and
// the walks over it, which may outlive its use.
class VersionedMap : public std::enable_shared_from_this<VersionedMap> {
 public:
  // With `keeps_erased`, erased keys stay as such, to be told from keys that were never there.
  VersionedMap(std::shared_ptr<std::mutex> mutex, bool keeps_erased)
      : mutex_(std::move(mutex)), keeps_erased_(keeps_erased) {}

  void put(BytesView key, BytesView value);
  void erase(BytesView key);
  void erase_range(BytesView from, BytesView to);
  void clear();

  // Null: nothing is known of the key; absent: it was erased. Valid until the next write.
  [[nodiscard]] const OptBytes* find(BytesView key) const;
  // In the keys' order where there is an index, which suits who takes them into an order of his own.
  template <class F>
  void for_each(F&& visit) const {
    if (indexed_) {
      for (const auto& [key, version] : index_) visit(key, version->value);
    } else {
      for (const auto& [key, version] : entries_) visit(BytesView(key), version.value);
    }
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // Keys that have a value, or that are known as erased where those are kept.
  [[nodiscard]] size_t size() const { return keeps_erased_ ? entries_.size() : live_; }
  // Memory, about.
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] bool walked_now() const { return !walks_.empty(); }
  // Walks give nothing any more.
  void end_walks() { ended_ = true; }

  class Walk;
  [[nodiscard]] std::unique_ptr<Walk> walk(KeyRange range, Order order);

 private:
  using Epoch = uint64_t;
  struct Version {
    OptBytes value;
    Epoch epoch = 0;  // walks that began in it or later see this version
    std::unique_ptr<Version> older;
    bool listed = false;  // in outdated_
  };
  struct HashBytes {
    using is_transparent = void;
    size_t operator()(BytesView bytes) const { return std::hash<BytesView>()(bytes); }
  };
  using Entries = std::unordered_map<Bytes, Version, HashBytes, std::equal_to<>>;
  using Index = std::map<BytesView, Version*>;  // into entries_, whose nodes stay where they are

  Version& touch(BytesView key);
  void erase(Entries::iterator at);
  void drop(Entries::iterator at);
  void list(Entries::value_type& entry);
  Index& index();
  void end_walk(Epoch epoch);

  const std::shared_ptr<std::mutex> mutex_;  // shared with the owner, who may replace the map while walks go on
  const bool keeps_erased_;
  Entries entries_;
  Index index_;
  bool indexed_ = false;
  size_t bytes_ = 0;
  size_t live_ = 0;
  bool ended_ = false;
  Epoch epoch_ = 0;
  std::vector<Epoch> walks_;            // open ones, ascending
  std::vector<const Bytes*> outdated_;  // keys with something that only open walks need
};

// One row after another, each copied out.
class VersionedMap::Walk {
 public:
  Walk(std::shared_ptr<VersionedMap> map, Epoch epoch, KeyRange range, Order order);
  ~Walk();
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  bool next();
  // Begins anew with another range, in the same state of the map.
  void seek(KeyRange range);
  [[nodiscard]] BytesView key() const { return key_; }
  // Whether end_walks() came before its end.
  [[nodiscard]] bool cut_short() const;
  // Absent: erased.
  [[nodiscard]] OptBytesView value() const { return present_ ? OptBytesView(value_) : std::nullopt; }

 private:
  bool step();

  const std::shared_ptr<VersionedMap> map_;
  const Epoch epoch_;
  KeyRange range_;
  const Order order_;
  bool started_ = false;
  bool ended_ = false;
  Index::const_iterator at_;
  Bytes key_;
  Bytes value_;
  bool present_ = false;
};

}  // namespace muir::store::internal
