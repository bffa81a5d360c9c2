// What the query of a request may name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::net {

// Fails when the query names a parameter that is not among `known`, names one twice, or is malformed: a misspelt
// filter must not be answered as if it had been applied.
Status check_query(std::string_view query, const std::vector<std::string>& known);

// Fails when a name or value of the query is malformed: it must not count as one that was not given.
Status check_query(std::string_view query);

// Fuzz entry: arbitrary bytes as a query that may hold a limit. Returns 1 when it is one.
int fuzz_query(BytesView input);

}  // namespace muir::net
