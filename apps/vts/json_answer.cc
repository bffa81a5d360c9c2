#include "apps/vts/json_answer.h"

#include "schema/json.h"

namespace muir::vts {

net::HttpResponse json_answer(std::string body, int status) {
  return {.status = status, .body = std::move(body), .headers = {{"Cache-Control", "no-store"}}};
}

net::HttpResponse error_answer(int status, std::string_view code, std::string_view message) {
  std::string body = "{\"error\":{\"code\":";
  schema::append_json_string(body, code);
  body += ",\"message\":";
  schema::append_json_string(body, message);
  body += "}}";
  return json_answer(std::move(body), status);
}

net::HttpResponse unavailable_answer(std::string_view code, std::string_view message) {
  net::HttpResponse answer = error_answer(503, code, message);
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

}  // namespace muir::vts
