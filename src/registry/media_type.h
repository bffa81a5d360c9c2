// Media types of the Schema Registry protocol: which a request may have, and which its answer gets.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace muir::registry {

// Whether a body of that Content-Type is read: one of the protocol's types, JSON, or nothing said about it.
bool is_body_type(std::string_view content_type);

// The type of an answer by the request's Accept header (RFC 9110, 12.5.1): of the protocol's types the one of the
// highest weight, of equal ones the newest, and nothing when the client wants none of them.
std::optional<std::string_view> accepted_type(std::string_view accept);

// What an error has that says so.
std::string_view preferred_type();

// Reads arbitrary bytes as Content-Type and as Accept; a type that they lead to is one that is read. Returns 1 when
// they lead to one.
int fuzz_media_type(BytesView input);

}  // namespace muir::registry
