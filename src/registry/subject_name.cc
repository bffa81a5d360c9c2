#include "registry/subject_name.h"

#include "base/utf8.h"
#include "registry/registry_error.h"

namespace muir::registry {
Status check_subject(const std::string& subject) {
  const bool is_text = is_utf8(subject) && !has_control_character(subject);
  if (subject.empty() || !is_text || subject == "__GLOBAL" || subject == "__EMPTY") {
    return registry_error(ErrorCode::invalid_subject, "The specified subject '{}' is not a valid.", subject);
  }
  if (subject.starts_with(":.") || subject.starts_with(":*:")) {
    return registry_error(ErrorCode::invalid_subject,
                          "The subject '{}' names a context; this registry has only the default one.", subject);
  }
  return {};
}

Status subject_not_found(const std::string& subject) {
  return registry_error(ErrorCode::subject_not_found, "Subject '{}' not found.", subject);
}

}  // namespace muir::registry
