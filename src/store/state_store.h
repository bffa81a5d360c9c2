// StateStore: what a task remembers. Stores keep bytes; typed views over them belong to the streams module.
//
// A store is owned by one thread, which opens, restores, writes, syncs and closes it. Methods that say so may be called
// by any thread while the owner works; the caller keeps the store alive and open for as long as it reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/metrics.h"
#include "base/status.h"

namespace muir::store {

enum class StoreKind : unsigned char { rocksdb, in_memory };

// What lies before each value in the store. Changelogs carry the value alone, and the timestamp as the record's.
enum class ValueFormat : unsigned char {
  plain,
  timestamped,  // 8 bytes, big-endian, milliseconds
};

// Receives every write of a store in the order of the writes, before put() returns. Called by the store's owner.
class ChangelogWriter {
 public:
  virtual ~ChangelogWriter() = default;
  // `value` absent: a deletion.
  virtual Status log(BytesView key, OptBytesView value, int64_t timestamp_ms) = 0;
  // Of stores whose values have had several forms: the form goes along in a header "v", and the time is now.
  virtual Status log_form(BytesView key, OptBytesView value, std::optional<uint8_t> form) {
    (void)key, (void)value, (void)form;
    return error(Code::failed_precondition, "this changelog takes no values that have a form");
  }
};

struct ChangelogRecord {
  BytesView key;
  OptBytesView value;
  int64_t timestamp_ms = -1;
  std::optional<uint8_t> form{};  // see ChangelogWriter::log_form()
};

struct ValueAndTimestamp {
  Bytes value;
  int64_t timestamp_ms = -1;  // -1 in stores of ValueFormat::plain
  bool operator==(const ValueAndTimestamp&) const = default;
};

// What a store takes, as its engine estimates it.
struct StoreUsage {
  uint64_t entries = 0;
  uint64_t file_bytes = 0;
  uint64_t memory_bytes = 0;  // of writes that are not in files yet; 0 of a store that has no files
};

// Names an interface of stores, told apart by its address: `static constexpr StoreFacet kFacet{"key-value"};`
struct StoreFacet {
  std::string_view name;
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  // The store as one of its interfaces, such as KeyValueStore; null when it is none. Any thread.
  template <class Interface>
  [[nodiscard]] Interface* as() {
    return static_cast<Interface*>(facet(Interface::kFacet));
  }

  [[nodiscard]] virtual const std::string& name() const = 0;
  // True when the content outlives the process.
  [[nodiscard]] virtual bool persistent() const = 0;
  // Opens what `folder` of `files`, which outlive the store, holds, making it when missing; stores in memory start
  // empty and touch nothing.
  virtual Status open(const std::string& folder, Env& files) = 0;
  Status open(const std::string& folder) { return open(folder, system_env()); }
  // Writes are reported to `writer` from now on; null: to nobody. Not owned. restore() reports nothing.
  virtual void set_changelog(ChangelogWriter* writer) = 0;
  // Any thread, while the store is open.
  [[nodiscard]] virtual StoreUsage usage() = 0;
  // Applies changelog records, in offset order.
  virtual Status restore(std::span<const ChangelogRecord> records) = 0;
  // Hands on what the store holds back from its changelog and its listener; see record_cache.h.
  virtual Status flush() { return {}; }
  [[nodiscard]] virtual bool holds_back() const { return false; }
  // After return everything written and flushed so far is in the files, and survives the end of the process.
  virtual Status sync() = 0;
  // Writes since the last sync() may be lost. Iterators that are left end, as KeyValueIterator says.
  virtual Status close() = 0;
  // Writes that the store's rules dropped, such as those of windows past keeping. Any thread.
  [[nodiscard]] virtual uint64_t dropped() const { return 0; }

 protected:
  // The interface as a pointer of its own type.
  [[nodiscard]] virtual void* facet(const StoreFacet& wanted) = 0;
};

// Memory that all RocksDB stores of the process share: blocks read, and writes not yet in files. To be called before
// the first store opens; later calls have no effect. Default: 64 MiB for each.
struct RocksMemory {
  size_t block_cache_bytes = 64u << 20;
  size_t write_buffer_bytes = 64u << 20;
};
void set_rocksdb_memory(const RocksMemory& memory);

// Shows how much of that memory is used, as muir_store_*, as long as the result lives; one for a process.
std::unique_ptr<MetricsGroup> rocksdb_metrics(MetricsRegistry& registry);

}  // namespace muir::store
