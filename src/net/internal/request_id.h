// Request ids: what joins a client's log, an answer and the server's log.
#pragma once

#include <string>
#include <string_view>

namespace muir::net {

// What a client sent as X-Request-Id when it is fit to be repeated in headers and logs (1 to 128 letters, digits or
// "-._:/+="), else a new id, unique across processes. Thread-safe.
std::string request_id(std::string_view given);

}  // namespace muir::net
