// JSON answers of the REST interface.
#pragma once

#include <string>
#include <string_view>

#include "net/http_server.h"

namespace muir::vts {

// {"error":{"code":"not_found","message":"..."}}
net::HttpResponse error_answer(int status, std::string_view code, std::string_view message);
// 503 with Retry-After.
net::HttpResponse unavailable_answer(std::string_view code, std::string_view message);
net::HttpResponse json_answer(std::string body, int status = 200);

}  // namespace muir::vts
