#include "store/internal/rocks_memory.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "store/state_store.h"

namespace muir::store {
namespace {

std::mutex memory_mutex;
RocksMemory configured;

}  // namespace

void set_rocksdb_memory(const RocksMemory& memory) {
  const std::lock_guard lock(memory_mutex);
  configured = memory;
}

namespace internal {
namespace {

struct Shared {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
  std::shared_ptr<rocksdb::TableFactory> tables;
};

// Set once there is one: looking at the memory must not settle its size.
std::atomic<const Shared*> in_use{nullptr};

const Shared& shared() {
  static const Shared instance = [] {
    const std::lock_guard lock(memory_mutex);
    Shared out;
    // Half of the cache is kept for indexes and filters, so that a scan over data does not push them out.
    rocksdb::LRUCacheOptions cache;
    cache.capacity = configured.block_cache_bytes;
    cache.high_pri_pool_ratio = 0.5;
    out.cache = rocksdb::NewLRUCache(cache);
    out.write_buffers = std::make_shared<rocksdb::WriteBufferManager>(configured.write_buffer_bytes);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = out.cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    // Indexes and filters are in the cache too, which bounds them; in parts of 4 KiB under a small top level that
    // stays, because the filters of a hundred million keys (120 MiB) do not fit and a lookup must not read a file's
    // whole filter.
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.partition_filters = true;
    table.pin_top_level_index_and_filter = true;
    table.format_version = 5;
    out.tables.reset(rocksdb::NewBlockBasedTableFactory(table));
    return out;
  }();
  in_use = &instance;
  return instance;
}

}  // namespace

rocksdb::Options rocks_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_manager = shared().write_buffers;
  options.table_factory = shared().tables;
  // A task has many small stores: small buffers that grow by number, few files, no info log per store.
  options.write_buffer_size = 8u << 20;
  options.max_write_buffer_number = 3;
  options.arena_block_size = 64u << 10;
  options.max_open_files = 64;
  // Files double with each level, so that a large store has not many more of them than may be open.
  options.target_file_size_multiplier = 2;
  options.keep_log_file_num = 1;
  options.info_log_level = rocksdb::InfoLogLevel::ERROR_LEVEL;
  options.stats_dump_period_sec = 0;
  options.compression = rocksdb::kNoCompression;
  // Most keys that are looked up for the first time are not there (deduplication, new windows).
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  // One writer thread: a store is owned by one task, and batches are written without a queue.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  return options;
}

}  // namespace internal

std::unique_ptr<MetricsGroup> rocksdb_metrics(MetricsRegistry& registry) {
  auto out = std::make_unique<MetricsGroup>(&registry);
  out->collect([](MetricSink& sink) {
    const internal::Shared* shared = internal::in_use;
    if (shared == nullptr) return;
    const auto gauge = [&sink](std::string_view name, std::string_view help, size_t bytes) {
      sink.gauge(name, help, {}, static_cast<double>(bytes));
    };
    gauge("muir_store_block_cache_bytes", "Blocks of all RocksDB stores in memory.", shared->cache->GetUsage());
    gauge("muir_store_block_cache_pinned_bytes", "Of these, those that are in use.", shared->cache->GetPinnedUsage());
    gauge("muir_store_block_cache_max_bytes", "Most that they may take.", shared->cache->GetCapacity());
    gauge("muir_store_write_buffer_bytes", "Writes of all RocksDB stores that are not in files yet.",
          shared->write_buffers->memory_usage());
    gauge("muir_store_write_buffer_max_bytes", "From so many on they are written to files.",
          shared->write_buffers->buffer_size());
  });
  return out;
}

}  // namespace muir::store
