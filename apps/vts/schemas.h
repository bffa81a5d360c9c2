// The schemas of everything that the system writes, in the registry before anything is accepted: one that takes no new
// ones, or has no id left, must not be found out in the middle of the work.
#pragma once

#include <string>

#include "base/status.h"
#include "serde/registry_port.h"

namespace muir::vts {

// Registers what is not registered yet, and reads back what it is registered as. What is there already needs a registry
// that answers, in whatever mode. The error names the subject, and what to do.
Status register_schemas(RegistryPort& registry, const std::string& application_id);

}  // namespace muir::vts
