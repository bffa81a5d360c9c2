#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "store/internal/engine.h"

namespace muir::store::internal {

std::optional<Bytes> prefix_end(BytesView prefix) {
  Bytes end(prefix);
  while (!end.empty()) {
    auto& last = end.back();
    if (static_cast<unsigned char>(last) != 0xff) {
      last = static_cast<char>(static_cast<unsigned char>(last) + 1);
      return end;
    }
    end.pop_back();
  }
  return std::nullopt;
}

namespace {

using Map = std::map<Bytes, Bytes, std::less<>>;

struct Table {
  std::shared_mutex mutex;
  Map entries;
};

// Takes the lock for one step only, so that a slow reader never holds up the owner; finds its place again by key.
class MemoryIterator final : public EngineIterator {
 public:
  MemoryIterator(Table& table, KeyRange range, Order order) : table_(table), range_(std::move(range)), order_(order) {}

  bool next() override {
    const std::shared_lock lock(table_.mutex);
    const Map& entries = table_.entries;
    Map::const_iterator at;
    if (order_ == Order::ascending) {
      at = started_ ? entries.upper_bound(key_) : entries.lower_bound(range_.from);
      if (at == entries.end() || (range_.to && at->first >= *range_.to)) return false;
    } else {
      at = started_ ? entries.lower_bound(key_) : range_.to ? entries.lower_bound(*range_.to) : entries.end();
      if (at == entries.begin()) return false;
      --at;
      if (at->first < range_.from) return false;
    }
    started_ = true;
    key_ = at->first;
    value_ = at->second;
    return true;
  }
  BytesView key() const override { return key_; }
  BytesView value() const override { return value_; }
  Status status() const override { return {}; }

 private:
  Table& table_;
  const KeyRange range_;
  const Order order_;
  bool started_ = false;
  Bytes key_;
  Bytes value_;
};

class MemoryEngine final : public Engine {
 public:
  Status open(const std::string&) override { return {}; }
  Status put(BytesView key, BytesView value) override {
    const std::unique_lock lock(table_.mutex);
    const auto at = table_.entries.lower_bound(key);
    if (at != table_.entries.end() && at->first == key) {
      at->second.assign(value);
    } else {
      table_.entries.emplace_hint(at, key, value);
    }
    return {};
  }
  Status erase(BytesView key) override {
    const std::unique_lock lock(table_.mutex);
    const auto at = table_.entries.find(key);
    if (at != table_.entries.end()) table_.entries.erase(at);
    return {};
  }
  Status erase_range(BytesView from, BytesView to) override {
    const std::unique_lock lock(table_.mutex);
    table_.entries.erase(table_.entries.lower_bound(from), table_.entries.lower_bound(to));
    return {};
  }
  Result<bool> get(BytesView key, Bytes& out) override {
    const std::shared_lock lock(table_.mutex);
    const auto at = table_.entries.find(key);
    if (at == table_.entries.end()) return false;
    out = at->second;
    return true;
  }
  Result<std::unique_ptr<EngineIterator>> iterate(KeyRange range, Order order) override {
    return std::unique_ptr<EngineIterator>(std::make_unique<MemoryIterator>(table_, std::move(range), order));
  }
  Result<uint64_t> approximate_entries() override {
    const std::shared_lock lock(table_.mutex);
    return static_cast<uint64_t>(table_.entries.size());
  }
  StoreUsage usage() override {
    const std::shared_lock lock(table_.mutex);
    return {.entries = table_.entries.size()};
  }
  Status sync() override { return {}; }
  Status close() override {
    const std::unique_lock lock(table_.mutex);
    table_.entries.clear();
    return {};
  }

 private:
  Table table_;
};

}  // namespace

std::unique_ptr<Engine> make_memory_engine() { return std::make_unique<MemoryEngine>(); }

}  // namespace muir::store::internal
