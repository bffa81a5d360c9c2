// Query parameters of the REST interface: what a route takes, and what is said about everything else.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "net/http_server.h"

namespace muir::vts {

// Fails when the query names a parameter that is not among `known`, names one twice, or is malformed: a misspelt
// filter must not be answered as if it had been applied.
Status check_query(std::string_view query, std::initializer_list<std::string_view> known);

// ?limit=, a number from 1 up; `fallback` when it is not given.
Result<size_t> limit_of(const net::HttpRequest& request, size_t fallback);

// Wraps a handler: what check_query() complains about is answered 400 `bad_parameter`.
net::HttpHandler with_parameters(std::initializer_list<std::string_view> known, net::HttpHandler handler);

// Fuzz entry: arbitrary bytes as a query that may hold a limit. Returns 1 when it is one.
int fuzz_query(BytesView input);

}  // namespace muir::vts
