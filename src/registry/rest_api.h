// RestApi: the Schema Registry protocol as requests and responses, without sockets.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "registry/registry_service.h"
#include "registry/rest_request.h"

namespace muir::registry {

struct RestResponse {
  int status = 200;
  std::string body{};
  std::string content_type{};
};

// One operation of the protocol.
struct RestRoute {
  std::string method;
  std::string pattern;                                                           // "/subjects/{subject}/versions"
  bool writes = false;                                                           // waits for the log
  std::function<Result<std::string>(RegistryService&, const RestRequest&)> run;  // the body, or an error with ErrorCode
};

// Every operation; made once.
const std::vector<RestRoute>& rest_routes();

// Runs an operation and dresses its outcome: content type by what the client accepts, errors as {"error_code",
// "message"}.
RestResponse call(const RestRoute& route, RegistryService& service, const RestRequest& request);
// The body of an error that no operation made (404, 405).
RestResponse plain_error(int status, std::string_view message, std::string_view accept);

// Runs a script against a registry of its own and checks that one started again on the same log knows the same. Steps
// are separated by empty lines: "METHOD /target" and a body, or "RECORD <key>" and a value that is in the log already.
// Returns 1 when a request was answered 200.
int fuzz_rest(BytesView input);

}  // namespace muir::registry
