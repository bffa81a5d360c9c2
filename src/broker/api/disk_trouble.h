// What the disk has refused is in the log as well as in the answer, with the same code.
#pragma once

#include <string_view>

#include "base/log.h"
#include "log/kafka_error.h"

namespace muir::broker {

// The code to answer with.
inline wire::ErrorCode answered_code(std::string_view request, std::string_view name, const Status& status) {
  const wire::ErrorCode code = storage::kafka_code(status);
  if (code == wire::ErrorCode::kafka_storage_error)
    log::error("{} {}: {}; the client gets {}", request, name, status.message(), wire::name_of(code));
  return code;
}

}  // namespace muir::broker
