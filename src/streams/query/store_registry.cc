#include "streams/query/store_registry.h"

namespace muir::streams::internal {
namespace {

Status unknown_store(const std::string& name) {
  return error(Code::not_found, "query store {}: the topology has no such store", name);
}
Status not_here(const std::string& name) {
  return error(Code::unavailable,
               "query store {}: not available now on this instance: rebalancing, restoring or stopped, "
               "or another instance has it; ask again",
               name);
}

}  // namespace

void StoreRegistry::declare(const std::string& name) {
  const std::lock_guard guard(mutex_);
  stores_.try_emplace(name);
}

void StoreRegistry::add(const std::string& name, PartitionId partition, store::StateStore* store) {
  const std::lock_guard guard(mutex_);
  stores_[name][partition] = {store, std::make_shared<std::shared_mutex>()};
}

void StoreRegistry::remove(const std::string& name, PartitionId partition) {
  std::shared_ptr<std::shared_mutex> readers;
  {
    const std::lock_guard guard(mutex_);
    const auto parts = stores_.find(name);
    if (parts == stores_.end()) return;
    const auto part = parts->second.find(partition);
    if (part == parts->second.end()) return;
    readers = part->second.mutex;
    parts->second.erase(part);
  }
  const std::unique_lock wait(*readers);  // new readers no longer find the entry
}

bool StoreRegistry::take(const Entry& entry, PartitionId partition, Lease& out) {
  out.mutex_ = entry.mutex;
  out.lock_ = std::shared_lock(*entry.mutex, std::try_to_lock);
  out.store_ = entry.store;
  out.partition_ = partition;
  return out.lock_.owns_lock();
}

Result<std::vector<StoreRegistry::Lease>> StoreRegistry::lease(const std::string& name) {
  const std::lock_guard guard(mutex_);
  const auto parts = stores_.find(name);
  if (parts == stores_.end()) return unknown_store(name);
  std::vector<Lease> out;
  for (const auto& [partition, entry] : parts->second) {
    Lease lease;
    if (take(entry, partition, lease)) out.push_back(std::move(lease));
  }
  if (out.empty()) return not_here(name);
  return out;
}

Result<StoreRegistry::Lease> StoreRegistry::lease(const std::string& name, PartitionId partition) {
  const std::lock_guard guard(mutex_);
  const auto parts = stores_.find(name);
  if (parts == stores_.end()) return unknown_store(name);
  const auto part = parts->second.find(partition);
  Lease out;
  if (part == parts->second.end() || !take(part->second, partition, out)) return not_here(name);
  return out;
}

std::vector<std::string> StoreRegistry::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [name, partitions] : stores_) out.push_back(name);
  return out;
}

}  // namespace muir::streams::internal
