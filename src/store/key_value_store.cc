#include "store/key_value_store.h"

#include <utility>

#include "store/internal/engine.h"
#include "store/internal/value_format.h"

namespace muir::store {
namespace {

class RowIterator final : public KeyValueIterator {
 public:
  RowIterator(std::unique_ptr<internal::EngineIterator> rows, ValueFormat format)
      : rows_(std::move(rows)), format_(format) {}

  bool next() override {
    if (!failed_.ok() || !rows_->next()) return false;
    auto row = internal::decode_row(format_, rows_->value());
    if (!row.ok()) {
      failed_ = row.status();
      return false;
    }
    row_ = *row;
    return true;
  }
  BytesView key() const override { return rows_->key(); }
  BytesView value() const override { return row_.value; }
  int64_t timestamp_ms() const override { return row_.timestamp_ms; }
  Status status() const override { return failed_.ok() ? rows_->status() : failed_; }

 private:
  std::unique_ptr<internal::EngineIterator> rows_;
  const ValueFormat format_;
  internal::RowView row_{};
  Status failed_;
};

class EngineKeyValueStore final : public KeyValueStore {
 public:
  explicit EngineKeyValueStore(KeyValueStoreOptions options)
      : options_(std::move(options)),
        engine_(options_.kind == StoreKind::rocksdb ? internal::make_rocks_engine(options_.name)
                                                    : internal::make_memory_engine()) {}

  const std::string& name() const override { return options_.name; }
  bool persistent() const override { return options_.kind == StoreKind::rocksdb; }
  Status open(const std::string& folder, Env& files) override { return engine_->open(folder, files); }
  void set_changelog(ChangelogWriter* writer) override { changelog_ = writer; }
  StoreUsage usage() override { return engine_->usage(); }
  Status sync() override { return engine_->sync(); }
  Status close() override { return engine_->close(); }

  Status restore(std::span<const ChangelogRecord> records) override {
    for (const ChangelogRecord& record : records) {
      MUIR_RETURN_IF_ERROR(write(record.key, record.value, record.timestamp_ms));
    }
    return {};
  }

  Status put(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    MUIR_RETURN_IF_ERROR(write(key, value, timestamp_ms));
    return changelog_ ? changelog_->log(key, value, timestamp_ms) : Status();
  }

  Result<bool> get(BytesView key, ValueAndTimestamp& out) override {
    const bool found = MUIR_TRY(engine_->get(key, out.value));
    if (found) MUIR_RETURN_IF_ERROR(internal::split_row(options_.format, out));
    return found;
  }

  Result<std::unique_ptr<KeyValueIterator>> range(std::optional<BytesView> from, std::optional<BytesView> to,
                                                  Order order) override {
    return rows(internal::closed_range(from, to), order);
  }

  Result<std::unique_ptr<KeyValueIterator>> prefix_scan(BytesView prefix, Order order) override {
    return rows({.from = Bytes(prefix), .to = internal::prefix_end(prefix)}, order);
  }

  Result<uint64_t> approximate_entries() override { return engine_->approximate_entries(); }

 private:
  Status write(BytesView key, OptBytesView value, int64_t timestamp_ms) {
    if (!value) return engine_->erase(key);
    internal::encode_row(options_.format, *value, timestamp_ms, row_);
    return engine_->put(key, row_);
  }
  Result<std::unique_ptr<KeyValueIterator>> rows(internal::KeyRange range, Order order) {
    auto found = MUIR_TRY(engine_->iterate(std::move(range), order));
    return std::unique_ptr<KeyValueIterator>(std::make_unique<RowIterator>(std::move(found), options_.format));
  }

  const KeyValueStoreOptions options_;
  std::unique_ptr<internal::Engine> engine_;
  ChangelogWriter* changelog_ = nullptr;
  Bytes row_;  // of the write under way
};

class KeyValueSupplier final : public StoreSupplier {
 public:
  explicit KeyValueSupplier(KeyValueStoreOptions options) : options_(std::move(options)) {}
  const std::string& name() const override { return options_.name; }
  bool provides(const StoreFacet& facet) const override { return &facet == &KeyValueStore::kFacet; }
  std::unique_ptr<StateStore> make() const override { return make_key_value_store(options_); }
  std::unique_ptr<StateStore> make_cached(const RecordCache& cache) const override {
    return with_cache(make_key_value_store(options_), options_.format, cache);
  }

 private:
  const KeyValueStoreOptions options_;
};

}  // namespace

std::shared_ptr<const StoreSupplier> key_value_supplier(KeyValueStoreOptions options) {
  return std::make_shared<KeyValueSupplier>(std::move(options));
}
std::unique_ptr<KeyValueStore> make_key_value_store(KeyValueStoreOptions options) {
  return std::make_unique<EngineKeyValueStore>(std::move(options));
}

}  // namespace muir::store
