// SuppressBuffer: the changes of a table that suppress() holds back, the oldest first. Kept in memory and restored from
// its changelog, whose rows are Kafka Streams' own (form 3, see docs/formats/store-keys.md).
//
// As Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer: a key's newer change takes the place of the older one and
// keeps its time; the changelog is told at flush() what became of each key since the last one.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "store/store_supplier.h"
#include "streams/nodes/cached_context.h"

namespace muir::streams::internal {

// The record that a change came with.
struct BufferedContext {
  int64_t timestamp_ms = -1;
  int64_t offset = -1;
  std::string_view topic{};
  int32_t partition = -1;
  std::vector<client::Header> headers{};
};

// What a key's change is: before all that was held back, before this one, and now. Views.
struct BufferedChange {
  BytesView context{};  // see append_buffered_context()
  OptBytesView prior{};
  OptBytesView before{};
  OptBytesView now{};
};

// Of the row that the task is working on. Views.
BufferedContext context_of(const TaskContext& task, const Row& row);
CachedContext origin_of(const BufferedContext& context);
void append_buffered_context(const BufferedContext& context, Bytes& out);
// Views into `bytes`.
Result<BufferedContext> parse_buffered_context(BytesView bytes);
void append_buffered_change(const BufferedChange& change, int64_t time_ms, Bytes& out);
// Views into `bytes`, and the time by which it is ordered.
Result<std::pair<BufferedChange, int64_t>> parse_buffered_change(BytesView bytes);
int fuzz_buffered_change(BytesView bytes);

class SuppressBuffer final : public store::StateStore {
 public:
  static constexpr store::StoreFacet kFacet{"suppress"};
  explicit SuppressBuffer(std::string name) : name_(std::move(name)) {}

  void put(BytesView key, int64_t time_ms, OptBytesView before, OptBytesView now, BytesView context);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] int64_t oldest_ms() const { return rows_.begin()->first.first; }
  struct Held {
    BytesView key;
    OptBytesView before{};
    OptBytesView now{};
    BytesView context;
  };
  // The next to be told. Valid until the buffer changes.
  [[nodiscard]] Held oldest() const;
  void erase_oldest();
  // What readers see of a key that is held back: the value before all of that. False: it is not held back.
  bool prior(BytesView key, OptBytes& out) const;
  [[nodiscard]] int64_t records() const { return static_cast<int64_t>(records_.load(std::memory_order_relaxed)); }
  // As Kafka Streams estimates it: keys, values and contexts.
  [[nodiscard]] int64_t bytes() const { return static_cast<int64_t>(bytes_.load(std::memory_order_relaxed)); }

  // StateStore
  const std::string& name() const override { return name_; }
  bool persistent() const override { return false; }
  Status open(const std::string&, Env&) override { return {}; }
  void set_changelog(store::ChangelogWriter* writer) override { changelog_ = writer; }
  store::StoreUsage usage() override {
    return {.entries = static_cast<uint64_t>(records()), .memory_bytes = static_cast<uint64_t>(bytes())};
  }
  Status restore(std::span<const store::ChangelogRecord> records) override;
  Status flush() override;
  bool holds_back() const override { return !changed_.empty(); }
  Status sync() override { return {}; }
  Status close() override;

 protected:
  void* facet(const store::StoreFacet& wanted) override { return &wanted == &kFacet ? this : nullptr; }

 private:
  struct Row {
    OptBytes prior{};
    OptBytes before{};
    OptBytes now{};
    Bytes context{};
  };
  using Rows = std::map<std::pair<int64_t, Bytes>, Row>;
  static size_t size_of(const Bytes& key, const Row& row);
  void keep(BytesView key, int64_t time_ms, Row row);
  void erase(Rows::iterator at);
  void changed(BytesView key) {
    if (changelog_ != nullptr) changed_.emplace(key);
  }

  const std::string name_;
  store::ChangelogWriter* changelog_ = nullptr;
  Rows rows_;
  std::unordered_map<Bytes, Rows::iterator> by_key_;
  std::set<Bytes, std::less<>> changed_;
  std::atomic<size_t> records_ = 0;
  std::atomic<size_t> bytes_ = 0;
};

std::shared_ptr<const store::StoreSupplier> suppress_supplier(std::string name);

}  // namespace muir::streams::internal
