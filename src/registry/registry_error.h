// Error codes of the Schema Registry protocol. They travel in a Status as numbers of Domain::registry, and so do the
// plain HTTP statuses that a registry answers with.
#pragma once

#include "base/status.h"

namespace muir::registry {

enum class ErrorCode : int {
  incompatible_schema = 409,
  subject_not_found = 40401,
  version_not_found = 40402,
  schema_not_found = 40403,
  subject_soft_deleted = 40404,
  subject_not_soft_deleted = 40405,
  version_soft_deleted = 40406,
  version_not_soft_deleted = 40407,
  no_subject_config = 40408,
  no_subject_mode = 40409,
  invalid_schema = 42201,
  invalid_version = 42202,
  invalid_compatibility = 42203,
  invalid_mode = 42204,
  not_permitted = 42205,
  reference_exists = 42206,
  invalid_subject = 42208,
  schema_too_large = 42209,
  invalid_rule_set = 42210,
  store_failure = 50001,
  store_timeout = 50002,
};

// The HTTP status of an answer with that code: its first three digits. A log that did not answer in time may do so
// later, which 503 tells everything between client and registry.
constexpr int http_status(int code) {
  if (code == static_cast<int>(ErrorCode::store_timeout)) return 503;
  return code >= 1000 ? code / 100 : code;
}

// An HTTP status, or one with two digits more.
constexpr bool is_error_code(int64_t number) {
  const int64_t status = number >= 1000 ? number / 100 : number;
  return status >= 400 && status < 600;
}

// Whether a failure is one of the registry's with this code.
inline bool is(const Status& status, ErrorCode code) {
  return status.number(Domain::registry) == static_cast<int>(code);
}

template <class... A>
[[nodiscard]] Status registry_error(ErrorCode code, fmt::format_string<A...> format, A&&... args) {
  const int number = static_cast<int>(code);
  const Code kind = number == 409         ? Code::failed_precondition
                    : number / 100 == 404 ? Code::not_found
                    : number / 100 == 422 ? Code::invalid_argument
                    : number == 50002     ? Code::timed_out
                                          : Code::unavailable;
  return Status(kind, fmt::format(format, std::forward<A>(args)...), {Domain::registry, number});
}

}  // namespace muir::registry
