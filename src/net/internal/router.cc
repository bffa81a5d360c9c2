#include "net/internal/router.h"

#include "base/check.h"

namespace muir::net {

int fuzz_router(BytesView input) {
  static const RouteTable<int> table = [] {
    RouteTable<int> routes;
    routes.add("GET", "/a/{x}/c", 1);
    routes.add("GET", "/a/b/{y}", 2);
    routes.add("POST", "/{x}/{y}/{z}", 3);
    routes.add("GET", "/", 4);
    return routes;
  }();
  const auto match = table.find("GET", input.substr(0, input.find('\n')));
  using Kind = decltype(match)::Kind;
  MUIR_CHECK((match.kind == Kind::found) == (match.handler != nullptr), "a match without a handler");
  for (const std::string& param : match.params) MUIR_CHECK(!param.empty(), "an empty placeholder matched");
  return match.kind == Kind::found ? 1 : 0;
}

}  // namespace muir::net
