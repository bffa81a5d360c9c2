#include "wire/api_key.h"

#include <algorithm>

#include "base/check.h"

namespace muir::wire {

const ApiInfo* find_api(int16_t key) {
  const auto table = api_table();
  const auto at = std::lower_bound(table.begin(), table.end(), key,
                                   [](const ApiInfo& api, int16_t k) { return static_cast<int16_t>(api.key) < k; });
  return at != table.end() && static_cast<int16_t>(at->key) == key ? &*at : nullptr;
}

const ApiInfo& api_info(ApiKey key) {
  const ApiInfo* info = find_api(static_cast<int16_t>(key));
  CHECK(info != nullptr, "api key {}", static_cast<int>(key));
  return *info;
}

std::string_view name_of(ApiKey key) {
  const ApiInfo* info = find_api(static_cast<int16_t>(key));
  return info ? info->name : "unknown API";
}

}  // namespace muir::wire
