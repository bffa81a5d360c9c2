// kafka_error(): a Status that carries one of Kafka's error codes, to be answered to the client as it is.
#pragma once

#include <fmt/core.h>

#include "base/status.h"
#include "wire/error_code.h"

namespace muir::storage {

template <class... A>
[[nodiscard]] Status kafka_error(wire::ErrorCode code, fmt::format_string<A...> format, A&&... args) {
  return Status(Code::failed_precondition, fmt::format(format, std::forward<A>(args)...), wire::kafka(code));
}

// The code in `status`; for failures that carry none, KAFKA_STORAGE_ERROR.
inline wire::ErrorCode kafka_code(const Status& status) {
  if (status.ok()) return wire::ErrorCode::none;
  const wire::ErrorCode code = wire::kafka_code_of(status);
  return code != wire::ErrorCode::none ? code : wire::ErrorCode::kafka_storage_error;
}

}  // namespace muir::storage
