#include "streams/query.h"

#include "store/key_value_store.h"
#include "store/window_store.h"
#include "streams/query/store_registry.h"

namespace muir::streams::internal {
namespace {

template <class Store>
Result<Store*> as(const StoreRegistry::Lease& lease, const std::string& name) {
  auto* typed = lease.store().as<Store>();
  if (typed == nullptr) {
    return error(Code::invalid_argument, "query store {}: it is not a {} store", name, Store::kFacet.name);
  }
  return typed;
}

// False: the caller has enough.
Result<bool> drain(store::KeyValueIterator& it, const StoreReader::OnRow& on_row) {
  while (it.next()) {
    if (!MUIR_TRY(on_row(it.key(), it.value(), it.timestamp_ms()))) return false;
  }
  MUIR_RETURN_IF_ERROR(it.status());
  return true;
}
Result<bool> drain(store::WindowIterator& it, const StoreReader::OnWindow& on_window) {
  while (it.next()) {
    if (!MUIR_TRY(on_window(it.key(), it.window_start_ms(), it.value(), it.timestamp_ms()))) return false;
  }
  MUIR_RETURN_IF_ERROR(it.status());
  return true;
}

}  // namespace

Result<bool> StoreReader::get(BytesView key, store::ValueAndTimestamp& out) const {
  MUIR_RETURN_IF_ERROR(ready_());
  for (const auto& lease : MUIR_TRY(registry_->lease(name_))) {
    auto* store = MUIR_TRY(as<store::KeyValueStore>(lease, name_));
    if (MUIR_TRY(store->get(key, out))) return true;
  }
  return false;
}

Status StoreReader::range(std::optional<BytesView> from, std::optional<BytesView> to, const OnRow& on_row) const {
  MUIR_RETURN_IF_ERROR(ready_());
  for (const auto& lease : MUIR_TRY(registry_->lease(name_))) {
    auto* store = MUIR_TRY(as<store::KeyValueStore>(lease, name_));
    const auto it = MUIR_TRY(store->range(from, to));
    if (!MUIR_TRY(drain(*it, on_row))) break;
  }
  return {};
}

Status StoreReader::prefix(BytesView prefix, const OnRow& on_row) const {
  MUIR_RETURN_IF_ERROR(ready_());
  for (const auto& lease : MUIR_TRY(registry_->lease(name_))) {
    auto* store = MUIR_TRY(as<store::KeyValueStore>(lease, name_));
    const auto it = MUIR_TRY(store->prefix_scan(prefix));
    if (!MUIR_TRY(drain(*it, on_row))) break;
  }
  return {};
}

Status StoreReader::fetch(BytesView key, int64_t from_ms, int64_t to_ms, const OnWindow& on_window) const {
  MUIR_RETURN_IF_ERROR(ready_());
  for (const auto& lease : MUIR_TRY(registry_->lease(name_))) {
    auto* store = MUIR_TRY(as<store::WindowStore>(lease, name_));
    const auto it = MUIR_TRY(store->fetch(key, from_ms, to_ms));
    if (!MUIR_TRY(drain(*it, on_window))) break;
  }
  return {};
}

Status StoreReader::fetch_all(int64_t from_ms, int64_t to_ms, const OnWindow& on_window) const {
  MUIR_RETURN_IF_ERROR(ready_());
  for (const auto& lease : MUIR_TRY(registry_->lease(name_))) {
    auto* store = MUIR_TRY(as<store::WindowStore>(lease, name_));
    const auto it = MUIR_TRY(store->fetch_range(std::nullopt, std::nullopt, from_ms, to_ms));
    if (!MUIR_TRY(drain(*it, on_window))) break;
  }
  return {};
}

Status StoreReader::visit(const OnStore& on_store) const {
  MUIR_RETURN_IF_ERROR(ready_());
  for (const auto& lease : MUIR_TRY(registry_->lease(name_))) {
    if (!MUIR_TRY(on_store(lease.store()))) break;
  }
  return {};
}

Result<uint64_t> StoreReader::approximate_entries() const {
  MUIR_RETURN_IF_ERROR(ready_());
  uint64_t out = 0;
  for (const auto& lease : MUIR_TRY(registry_->lease(name_))) {
    auto* store = MUIR_TRY(as<store::KeyValueStore>(lease, name_));
    out += MUIR_TRY(store->approximate_entries());
  }
  return out;
}

}  // namespace muir::streams::internal
