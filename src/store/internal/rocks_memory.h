// The memory and options that every RocksDB store of the process shares.
#pragma once

namespace rocksdb {
struct Options;
}

namespace muir::store::internal {

// Options for one store, tied to the shared block cache and write buffer manager. Thread-safe.
rocksdb::Options rocks_options();

}  // namespace muir::store::internal
