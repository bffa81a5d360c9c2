#include "net/query_check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/config.h"
#include "net/url.h"

namespace muir::net {
namespace {

Status unknown_parameter(const std::string& name, const std::vector<std::string>& known) {
  const std::string near = nearest(name, known);
  if (!near.empty())
    return error(Code::invalid_argument, "unknown query parameter '{}'; did you mean '{}'?", name, near);
  return known.empty() ? error(Code::invalid_argument, "unknown query parameter '{}'; this path takes none", name)
                       : error(Code::invalid_argument, "unknown query parameter '{}'; this path takes {}", name,
                               fmt::join(known, ", "));
}

template <class OnName>  // which returns a Status
Status for_each_name(std::string_view query, OnName on_name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return error(Code::invalid_argument, "query parameter '{}': malformed percent-encoding", pair);
    MUIR_RETURN_IF_ERROR(on_name(*name));
  }
  return {};
}

}  // namespace

Status check_query(std::string_view query) {
  return for_each_name(query, [](const std::string&) { return Status(); });
}

Status check_query(std::string_view query, const std::vector<std::string>& known) {
  std::set<std::string> seen;
  return for_each_name(query, [&](const std::string& name) -> Status {
    if (std::find(known.begin(), known.end(), name) == known.end()) return unknown_parameter(name, known);
    if (!seen.insert(name).second) return error(Code::invalid_argument, "query parameter '{}' is given twice", name);
    return {};
  });
}

int fuzz_query(BytesView input) {
  const Status status = check_query(input, {"limit"});
  if (!status.ok()) return 0;
  // Whatever is let through names nothing but a limit.
  MUIR_CHECK(input.find_first_not_of('&') == BytesView::npos || find_query_param(input, "limit"),
             "a query got through that is none");
  return 1;
}

}  // namespace muir::net
