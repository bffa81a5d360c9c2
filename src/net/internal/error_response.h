// The answers that the server gives by itself when a request does not reach a handler.
#pragma once

#include <string_view>

#include "net/http_server.h"

namespace muir::net {

// {"error":{"code":"not_found","message":"..."}}; the code follows from the status.
HttpResponse error_response(int status, std::string_view message);

}  // namespace muir::net
