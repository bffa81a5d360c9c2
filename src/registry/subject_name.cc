#include "registry/subject_name.h"

#include "base/utf8.h"
#include "registry/registry_error.h"

namespace muir::registry {
namespace {

// U+0000 to U+001F, U+007F to U+009F.
bool has_control(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace

Status check_subject(const std::string& subject) {
  const bool is_text = is_utf8(subject) && !has_control(subject);
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
