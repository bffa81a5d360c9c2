// The file system that RocksDB works on where it is not the machine's: an Env (base/file.h), so that what tests do to a
// disk reaches the stores.
#pragma once

#include <memory>

namespace rocksdb {
class Env;
}

namespace muir {
class Env;
}

namespace muir::store::internal {

// RocksDB's environment over `files`, which outlive it; threads and clock are those of the process. Null for the
// machine's files: RocksDB's own way to them preallocates, reads ahead and tells the system what it will need.
// Thread-safe.
std::unique_ptr<rocksdb::Env> rocks_env(Env& files);

}  // namespace muir::store::internal
