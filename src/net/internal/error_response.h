// The answers that the server gives by itself when a request does not reach a handler.
#pragma once

#include <string_view>

#include "net/http_server.h"

namespace muir::net {

// An answer whose body is made by give_form() when it is sent.
HttpResponse error_response(int status, std::string_view message);

// The word for that status in the plain form: "not_found".
std::string_view error_code_of(int status);

// Makes the body of an answer of the server itself, by `form`, else as {"error":{"code":"not_found","message":"..."}},
// where the code follows from the status. Leaves answers of handlers alone.
void give_form(HttpResponse& response, const HttpErrorForm& form, std::string_view accept);

}  // namespace muir::net
