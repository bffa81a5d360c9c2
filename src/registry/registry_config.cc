#include "registry/registry_config.h"

#include "registry/registry.h"

namespace muir::registry {

const ConfigDefOf<RegistryOptions>& registry_config() {
  static const ConfigDefOf<RegistryOptions> def(
      "registry", {{{.name = "schema.validate.new.schemas",
                     .type = ConfigType::boolean,
                     .fallback = "true",
                     .doc = "whether defaults of schemas that are registered anew must be values of their "
                            "fields; false: as registries before 8.0"},
                    &RegistryOptions::validate_new_schemas}});
  return def;
}

}  // namespace muir::registry
