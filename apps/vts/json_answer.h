// JSON answers of the REST interface.
#pragma once

#include <string>
#include <string_view>

#include "net/rest.h"

namespace muir::vts {

net::HttpResponse json_answer(std::string body, int status = 200);

// {"error":{"code":"not_found","message":"..."}}
net::RestError error_answer(int status, std::string_view code, std::string_view message);
// 503 with Retry-After.
net::RestError unavailable_answer(std::string_view code, std::string_view message);
// RestOptions::form of these.
void dress_error(net::HttpResponse& response, const net::RestError& error, std::string_view accept);
// As it is sent.
net::HttpResponse dressed(net::RestAnswer answer);

}  // namespace muir::vts
