#include "apps/vts/query.h"

#include <charconv>

#include "net/url.h"

namespace muir::vts {

Result<size_t> limit_of(const net::HttpRequest& request, size_t fallback) {
  const auto text = net::find_query_param(request.query, "limit");
  if (!text) return fallback;
  size_t limit = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (failure != std::errc() || end != text->data() + text->size() || limit == 0)
    return error(Code::invalid_argument, "limit '{}': a number from 1 up", *text);
  return limit;
}

}  // namespace muir::vts
