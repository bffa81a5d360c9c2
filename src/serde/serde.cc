#include "serde/serde.h"

namespace muir {

namespace internal {
Status wrong_size(std::string_view type, size_t expected, size_t actual) {
  return error(Code::invalid_argument, "deserialize {}: {} bytes instead of {}", type, actual, expected);
}
}  // namespace internal

Status serde<bool>::decode(BytesView bytes, bool& out) {
  if (bytes.size() != 1) return internal::wrong_size("bool", 1, bytes.size());
  if (static_cast<unsigned char>(bytes[0]) > 1)
    return error(Code::invalid_argument, "deserialize bool: the byte is neither 0 nor 1");
  out = bytes[0] == 1;
  return {};
}

}  // namespace muir
