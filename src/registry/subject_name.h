// Names of subjects: which may be given, and the error of one that nothing is known under.
#pragma once

#include <string>

#include "base/status.h"

namespace muir::registry {

// ErrorCode::invalid_subject for what no record may be written under: an empty name, one that is not UTF-8, one with
// control characters, those that the JVM registry keeps for itself, and those of a context.
Status check_subject(const std::string& subject);

Status subject_not_found(const std::string& subject);

}  // namespace muir::registry
