// StoreRegistry: the stores of this instance that can be read from outside, and the guarantee that a store stays open
// while it is read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "store/state_store.h"

namespace muir::streams::internal {

// Thread-safe.
class StoreRegistry {
 public:
  // A store may be read as long as a lease on it lives; remove() waits for leases. Keep them short.
  class Lease {
   public:
    [[nodiscard]] store::StateStore& store() const { return *store_; }
    [[nodiscard]] PartitionId partition() const { return partition_; }

   private:
    friend class StoreRegistry;
    // Shared with the registry: the lock must outlive the entry.
    std::shared_ptr<std::shared_mutex> mutex_;
    std::shared_lock<std::shared_mutex> lock_;
    store::StateStore* store_ = nullptr;
    PartitionId partition_;
  };

  void add(const std::string& name, PartitionId partition, store::StateStore* store);
  // Waits until nobody reads the store.
  void remove(const std::string& name, PartitionId partition);

  // Every open part of the store on this instance, ascending by partition; not empty. unavailable while the
  // instance has none of it open, not_found for unknown stores.
  [[nodiscard]] Result<std::vector<Lease>> lease(const std::string& name);
  [[nodiscard]] Result<Lease> lease(const std::string& name, PartitionId partition);
  // Stores that the topology has, whether open here or not.
  void declare(const std::string& name);
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Entry {
    store::StateStore* store = nullptr;
    std::shared_ptr<std::shared_mutex> mutex;
  };
  static bool take(const Entry& entry, PartitionId partition, Lease& out);

  mutable std::mutex mutex_;
  std::map<std::string, std::map<PartitionId, Entry>> stores_;
};

}  // namespace muir::streams::internal
