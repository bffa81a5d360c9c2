#include "store/internal/rocks_memory.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

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

const Shared& shared() {
  static const Shared instance = [] {
    const std::lock_guard lock(memory_mutex);
    Shared out;
    out.cache = rocksdb::NewLRUCache(configured.block_cache_bytes);
    out.write_buffers = std::make_shared<rocksdb::WriteBufferManager>(configured.write_buffer_bytes);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = out.cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.format_version = 5;
    out.tables.reset(rocksdb::NewBlockBasedTableFactory(table));
    return out;
  }();
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
}  // namespace muir::store
