#include <algorithm>

#include "serde/registry_port.h"

namespace muir {

Result<int> MemoryRegistry::register_schema(std::string_view subject, std::string_view schema_json) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find(texts_.begin(), texts_.end(), schema_json);
  const int id = static_cast<int>(found - texts_.begin()) + 1;
  if (found == texts_.end()) texts_.emplace_back(schema_json);
  auto& ids = versions_[std::string(subject)];
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  return id;
}

Result<int> MemoryRegistry::find_schema(std::string_view subject, std::string_view schema_json) {
  const std::lock_guard lock(mutex_);
  if (const auto at = versions_.find(subject); at != versions_.end()) {
    for (const int id : at->second) {
      if (texts_[static_cast<size_t>(id - 1)] == schema_json) return id;
    }
  }
  return error(Code::not_found, "find schema subject={}: it is not registered", subject);
}

Result<std::string> MemoryRegistry::schema_by_id(int id) {
  const std::lock_guard lock(mutex_);
  if (id < 1 || static_cast<size_t>(id) > texts_.size())
    return error(Code::not_found, "schema id={}: there is none", id);
  return texts_[static_cast<size_t>(id - 1)];
}

Result<RegisteredSchema> MemoryRegistry::latest_schema(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  const auto at = versions_.find(subject);
  if (at == versions_.end()) return error(Code::not_found, "latest schema subject={}: there is none", subject);
  const int id = at->second.back();
  return RegisteredSchema{id, static_cast<int>(at->second.size()), std::string(subject),
                          texts_[static_cast<size_t>(id - 1)]};
}

}  // namespace muir
