// CachedTable: what a node's store hands on when its record cache is flushed goes to the node's children. Without a
// cache it is not attached, and the node forwards each change at once.
#pragma once

#include <string>

#include "store/record_cache.h"
#include "streams/nodes/operators.h"

namespace muir::streams::internal {

// Of tables by key and window: the type of the forwarded key, and how long the windows are.
struct WindowedRows {
  const WindowedType* type = nullptr;
  int64_t size_ms = 0;
};

class CachedTable final : public store::CacheListener {
 public:
  CachedTable() = default;
  CachedTable(const CachedTable&) = delete;
  CachedTable& operator=(const CachedTable&) = delete;

  Status attach(Node& node, const TableSpec& table, WindowedRows windowed = {});
  [[nodiscard]] bool attached() const { return node_ != nullptr; }
  Status flushed(const store::CachedChange& change) override;

 private:
  Node* node_ = nullptr;
  TypedPair types_;
  WindowedRows windowed_;
  std::string topic_;
  ErasedObject key_;
  ErasedObject windowed_key_;
  ErasedObject now_;
  ErasedObject before_;
};

}  // namespace muir::streams::internal
