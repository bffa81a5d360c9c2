#include "apps/vts/json_answer.h"

#include "schema/json.h"

namespace muir::vts {

net::HttpResponse json_answer(std::string body, int status) {
  return {.status = status, .body = std::move(body), .headers = {{"Cache-Control", "no-store"}}};
}

net::RestError error_answer(int status, std::string_view code, std::string_view message) {
  return {.status = status, .message = std::string(message), .code = std::string(code)};
}

net::RestError unavailable_answer(std::string_view code, std::string_view message) {
  return net::rest_unavailable(std::string(message), std::string(code));
}

void dress_error(net::HttpResponse& response, const net::RestError& error, std::string_view) {
  response.body = "{\"error\":{\"code\":";
  schema::append_json_string(response.body, error.code);
  response.body += ",\"message\":";
  schema::append_json_string(response.body, error.message);
  response.body += "}}";
  response.headers.emplace(response.headers.begin(), "Cache-Control", "no-store");
}

net::HttpResponse dressed(net::RestAnswer answer) {
  if (auto* response = std::get_if<net::HttpResponse>(&answer)) return std::move(*response);
  const auto& error = std::get<net::RestError>(answer);
  net::HttpResponse response{.status = error.status, .headers = error.headers};
  dress_error(response, error, {});
  return response;
}

}  // namespace muir::vts
