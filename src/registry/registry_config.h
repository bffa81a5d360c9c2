// The registry's keys of configuration, which are those of the JVM registry.
#pragma once

#include "base/config.h"

namespace muir::registry {

struct RegistryOptions;

const ConfigDef& registry_config();

// Lays what is given over `options`. The error names key, value and what is allowed.
Status apply_config(const Properties& given, RegistryOptions& options);

}  // namespace muir::registry
