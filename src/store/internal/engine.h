// Engine: an ordered map of bytes, in memory or on disk, that stores are built on.
//
// Written by one thread; reads are thread-safe beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "store/key_value_store.h"

namespace muir::store::internal {

// [from, to): `to` absent is open.
struct KeyRange {
  Bytes from{};
  std::optional<Bytes> to{};
};

// The smallest bytes above everything that begins with `prefix`; absent when there are none.
std::optional<Bytes> prefix_end(BytesView prefix);
// Both ends included, absent: open.
KeyRange closed_range(std::optional<BytesView> from, std::optional<BytesView> to);

// As KeyValueIterator: rows as they were when it was made, and none once the engine is closed.
class EngineIterator {
 public:
  virtual ~EngineIterator() = default;
  virtual bool next() = 0;
  // Begins anew with another range of the same state.
  virtual void seek(KeyRange range) = 0;
  [[nodiscard]] virtual BytesView key() const = 0;
  [[nodiscard]] virtual BytesView value() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

// Of an iterator whose store is closed.
inline Status store_was_closed() { return {Code::failed_precondition, "iterate store: the store was closed"}; }

class Engine {
 public:
  virtual ~Engine() = default;
  virtual Status open(const std::string& folder, Env& files) = 0;
  virtual Status put(BytesView key, BytesView value) = 0;
  virtual Status erase(BytesView key) = 0;
  virtual Status erase_range(BytesView from, BytesView to) = 0;
  virtual Result<bool> get(BytesView key, Bytes& out) = 0;
  virtual Result<std::unique_ptr<EngineIterator>> iterate(KeyRange range, Order order) = 0;
  virtual Result<uint64_t> approximate_entries() = 0;
  virtual StoreUsage usage() = 0;
  virtual Status sync() = 0;
  // Ends the iterators that are left.
  virtual Status close() = 0;
};

std::unique_ptr<Engine> make_memory_engine();
// `name` is for messages.
std::unique_ptr<Engine> make_rocks_engine(std::string name);

}  // namespace muir::store::internal
