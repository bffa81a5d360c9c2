// The Schema Registry protocol as a table of routes, without sockets.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "net/rest.h"
#include "registry/registry_service.h"

namespace muir::registry {

// Every operation of the protocol. `service` outlives them.
std::vector<net::RestRoute> rest_routes(RegistryService& service);

// How they are served: errors as {"error_code", "message"}, media types, paths of Java's kind.
net::RestOptions rest_options();

// Runs a script against a registry of its own and checks that one started again on the same log knows the same. Steps
// are separated by empty lines: "METHOD /target" and a body, or "RECORD <key>" and a value that is in the log already.
// Returns 1 when a request was answered 200.
int fuzz_rest(BytesView input);

}  // namespace muir::registry
