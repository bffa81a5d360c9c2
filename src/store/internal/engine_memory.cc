#include <utility>

#include "store/internal/versioned_map.h"

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

KeyRange closed_range(std::optional<BytesView> from, std::optional<BytesView> to) {
  KeyRange range;
  if (from) range.from = *from;
  if (to) {
    // The next greater bytes, because the end of a range is left out.
    range.to.emplace(*to);
    range.to->push_back('\0');
  }
  return range;
}

namespace {

class MemoryIterator final : public EngineIterator {
 public:
  explicit MemoryIterator(std::unique_ptr<VersionedMap::Walk> rows) : rows_(std::move(rows)) {}
  bool next() override { return rows_->next(); }
  void seek(KeyRange range) override { rows_->seek(std::move(range)); }
  BytesView key() const override { return rows_->key(); }
  BytesView value() const override { return *rows_->value(); }
  Status status() const override { return rows_->cut_short() ? store_was_closed() : Status(); }

 private:
  const std::unique_ptr<VersionedMap::Walk> rows_;
};

class MemoryEngine final : public Engine {
 public:
  ~MemoryEngine() override { (void)close(); }
  Status open(const std::string&, Env&) override { return {}; }
  Status put(BytesView key, BytesView value) override {
    const std::lock_guard lock(*mutex_);
    rows_->put(key, value);
    return {};
  }
  Status erase(BytesView key) override {
    const std::lock_guard lock(*mutex_);
    rows_->erase(key);
    return {};
  }
  Status erase_range(BytesView from, BytesView to) override {
    const std::lock_guard lock(*mutex_);
    rows_->erase_range(from, to);
    return {};
  }
  Result<bool> get(BytesView key, Bytes& out) override {
    const std::lock_guard lock(*mutex_);
    const OptBytes* found = rows_->find(key);
    if (found == nullptr || !*found) return false;
    out = **found;
    return true;
  }
  Result<std::unique_ptr<EngineIterator>> iterate(KeyRange range, Order order) override {
    const std::lock_guard lock(*mutex_);
    return std::unique_ptr<EngineIterator>(std::make_unique<MemoryIterator>(rows_->walk(std::move(range), order)));
  }
  Result<uint64_t> approximate_entries() override { return usage().entries; }
  StoreUsage usage() override {
    const std::lock_guard lock(*mutex_);
    return {.entries = rows_->size()};
  }
  Status sync() override { return {}; }
  Status close() override {
    const std::lock_guard lock(*mutex_);
    rows_->end_walks();
    rows_ = std::make_shared<VersionedMap>(mutex_, false);
    return {};
  }

 private:
  const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();  // shared with walks
  std::shared_ptr<VersionedMap> rows_ = std::make_shared<VersionedMap>(mutex_, false);
};

}  // namespace

std::unique_ptr<Engine> make_memory_engine() { return std::make_unique<MemoryEngine>(); }

}  // namespace muir::store::internal
