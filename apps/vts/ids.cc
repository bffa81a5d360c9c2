#include "apps/vts/ids.h"

#include "base/utf8.h"

namespace muir::vts {

Status check_id(std::string_view what, std::string_view id, size_t bytes_max) {
  if (id.empty()) return error(Code::invalid_argument, "{} is empty", what);
  if (id.size() > bytes_max)
    return error(Code::invalid_argument, "{} has {} bytes, at most {} are allowed", what, id.size(), bytes_max);
  if (!is_utf8(id)) return error(Code::invalid_argument, "{} is not UTF-8", what);
  if (has_control_character(id)) return error(Code::invalid_argument, "{} has a control character", what);
  if (is_blank(id)) return error(Code::invalid_argument, "{} has nothing that can be seen", what);
  if (id == "." || id == "..") return error(Code::invalid_argument, "{} '{}' cannot stand in a path", what, id);
  return {};
}

}  // namespace muir::vts
