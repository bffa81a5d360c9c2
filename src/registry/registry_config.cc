#include "registry/registry_config.h"

#include "registry/registry.h"

namespace muir::registry {
namespace {

constexpr const char* kValidateNewSchemas = "schema.validate.new.schemas";

}  // namespace

const ConfigDef& registry_config() {
  static const ConfigDef def("registry",
                             {{.name = kValidateNewSchemas,
                               .type = ConfigType::boolean,
                               .fallback = "true",
                               .doc = "whether defaults of schemas that are registered anew must be values of their "
                                      "fields; false: as registries before 8.0"}});
  return def;
}

Status apply_config(const Properties& given, RegistryOptions& options) {
  MUIR_RETURN_IF_ERROR(registry_config().validate(given));
  options.validate_new_schemas = registry_config().boolean(given, kValidateNewSchemas);
  return {};
}

}  // namespace muir::registry
