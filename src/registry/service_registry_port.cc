#include "registry/service_registry_port.h"

namespace muir::registry {

Result<int> ServiceRegistryPort::register_schema(std::string_view subject, std::string_view schema_json) {
  return service_.register_schema(std::string(subject), {.schema = std::string(schema_json)});
}

Result<int> ServiceRegistryPort::find_schema(std::string_view subject, std::string_view schema_json) {
  return MUIR_TRY(service_.look_up(std::string(subject), {.schema = std::string(schema_json)}, false)).id;
}

Result<std::string> ServiceRegistryPort::schema_by_id(int id) { return service_.self_contained_text(id); }

Result<RegisteredSchema> ServiceRegistryPort::latest_schema(std::string_view subject) {
  auto version = MUIR_TRY(service_.version(std::string(subject), VersionSpec{}, false));
  return RegisteredSchema{version.id, version.version, version.subject, version.schema};
}

}  // namespace muir::registry
