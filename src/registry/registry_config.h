// The registry's keys of configuration, which are those of the JVM registry.
#pragma once

#include "base/config_def.h"

namespace muir::registry {

struct RegistryOptions;

const ConfigDefOf<RegistryOptions>& registry_config();

}  // namespace muir::registry
