// Compatibility levels of subjects, and what they ask of a new schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/avro_schema.h"

namespace muir::registry {

enum class Compatibility : unsigned char {
  none,
  backward,
  backward_transitive,
  forward,
  forward_transitive,
  full,
  full_transitive
};

// "BACKWARD", ...; case does not matter when reading.
std::string_view to_string(Compatibility level);
std::optional<Compatibility> compatibility_from(std::string_view text);

// Whether all earlier versions are looked at, not only the newest.
bool is_transitive(Compatibility level);

struct EarlierSchema {
  int version = 0;
  int id = 0;
  std::string schema_type = "AVRO";
  schema::avro::SchemaPtr schema{};  // of Avro
};

// What is wrong with `candidate`, each finding in the registry's form, the version and text it clashed with last; empty
// when it may follow `earlier`, which are ordered newest first. Levels that are not transitive look at the newest only.
std::vector<std::string> check_compatibility(Compatibility level, const schema::avro::Schema& candidate,
                                             const std::vector<EarlierSchema>& earlier);

}  // namespace muir::registry
