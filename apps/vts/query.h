// Query parameters of the REST interface.
#pragma once

#include <cstddef>

#include "base/status.h"
#include "net/http_server.h"

namespace muir::vts {

// ?limit=, a number from 1 up; `fallback` when it is not given.
Result<size_t> limit_of(const net::HttpRequest& request, size_t fallback);

}  // namespace muir::vts
