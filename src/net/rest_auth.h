// Ways to say who asks, for RestOptions::authenticate.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "net/rest.h"

namespace muir::net {

// Whose user and password these are; nothing: nobody's. Called on event loops, so it must not block, and takes as long
// for wrong ones as for right ones.
using CheckPassword = std::function<std::optional<Principal>(std::string_view user, std::string_view password)>;

// HTTP's Basic scheme (RFC 7617), in UTF-8. Only over TLS: it hides nothing. `realm` is what browsers show.
std::function<std::variant<Principal, RestError>(const HttpRequest&)> basic_authentication(std::string realm,
                                                                                           CheckPassword check);

// Fuzz entry: arbitrary bytes as an Authorization header. Returns 1 when it holds a user.
int fuzz_basic_authentication(BytesView input);

}  // namespace muir::net
