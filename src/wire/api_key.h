// The APIs that the codecs know: names, versions and header versions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "wire/api_keys.h"

namespace muir::wire {

// One row of the table. The versions are those the codecs can read and write; what a broker offers may be fewer.
struct ApiInfo {
  ApiKey key;
  std::string_view name;  // "Produce"
  int16_t version_min;
  int16_t version_max;
  int16_t flexible_since;

  [[nodiscard]] bool supports(int16_t version) const { return version >= version_min && version <= version_max; }
  [[nodiscard]] int16_t request_header_version(int16_t version) const { return version >= flexible_since ? 2 : 1; }
  // ApiVersions answers with header 0 at every version, so that older clients can parse it.
  [[nodiscard]] int16_t response_header_version(int16_t version) const {
    return key != ApiKey::api_versions && version >= flexible_since ? 1 : 0;
  }
};

// Ascending by key.
std::span<const ApiInfo> api_table();
// nullptr for a key that is not in the table.
const ApiInfo* find_api(int16_t key);
const ApiInfo& api_info(ApiKey key);
// "Produce"; "unknown API" for a key that is not in the table.
std::string_view name_of(ApiKey key);

}  // namespace muir::wire
