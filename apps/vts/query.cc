#include "apps/vts/query.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <vector>

#include "apps/vts/json_answer.h"
#include "base/check.h"
#include "base/config.h"
#include "net/url.h"

namespace muir::vts {
namespace {

Status unknown_parameter(const std::string& name, const std::vector<std::string>& known) {
  const std::string near = nearest(name, known);
  if (!near.empty())
    return error(Code::invalid_argument, "unknown query parameter '{}'; did you mean '{}'?", name, near);
  return known.empty() ? error(Code::invalid_argument, "unknown query parameter '{}'; this path takes none", name)
                       : error(Code::invalid_argument, "unknown query parameter '{}'; this path takes {}", name,
                               fmt::join(known, ", "));
}

Status check(std::string_view query, const std::vector<std::string>& known) {
  std::set<std::string> seen;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = net::percent_decode(pair.substr(0, equals), true);
    const auto value = net::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return error(Code::invalid_argument, "query parameter '{}': malformed percent-encoding", pair);
    if (std::find(known.begin(), known.end(), *name) == known.end()) return unknown_parameter(*name, known);
    if (!seen.insert(*name).second) return error(Code::invalid_argument, "query parameter '{}' is given twice", *name);
  }
  return {};
}

}  // namespace

Status check_query(std::string_view query, std::initializer_list<std::string_view> known) {
  return check(query, {known.begin(), known.end()});
}

Result<size_t> limit_of(const net::HttpRequest& request, size_t fallback) {
  const auto text = net::find_query_param(request.query, "limit");
  if (!text) return fallback;
  size_t limit = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (failure != std::errc() || end != text->data() + text->size() || limit == 0)
    return error(Code::invalid_argument, "limit '{}': a number from 1 up", *text);
  return limit;
}

net::HttpHandler with_parameters(std::initializer_list<std::string_view> known, net::HttpHandler handler) {
  return [known = std::vector<std::string>(known.begin(), known.end()), handler = std::move(handler)](
             net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
    if (const Status status = check(request.query, known); !status.ok())
      return responder->respond(error_answer(400, "bad_parameter", status.message()));
    handler(std::move(request), std::move(responder));
  };
}

int fuzz_query(BytesView input) {
  const Status status = check_query(input, {"limit"});
  if (!status.ok()) return 0;
  // Whatever is let through names nothing but a limit.
  MUIR_CHECK(input.find_first_not_of('&') == BytesView::npos || net::find_query_param(input, "limit"),
             "a query got through that is none");
  return 1;
}

}  // namespace muir::vts
