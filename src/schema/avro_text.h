// Texts and fingerprints of Avro schemas.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "base/bytes.h"
#include "schema/avro_schema.h"

namespace muir::schema::avro {

// Compact JSON with everything the schema holds, attributes in the order of the Java library's Schema.toString: the
// text that schema registries store and compare. Types whose full name is in `known` appear as names only.
std::string to_text(const Schema& schema, const std::set<std::string>& known = {});

// Adds the full names of all types that are named in the schema.
void add_names(const Schema& schema, std::set<std::string>& names);

// Avro's Parsing Canonical Form: only what matters for reading data.
std::string canonical_form(const Schema& schema);

// Fingerprints of a canonical form.
uint64_t rabin(std::string_view canonical);             // CRC-64-AVRO
std::array<unsigned char, 16> md5(BytesView bytes);     // RFC 1321
std::array<unsigned char, 32> sha256(BytesView bytes);  // FIPS 180-4

}  // namespace muir::schema::avro
