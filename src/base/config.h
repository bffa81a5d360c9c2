// Configuration: Java-properties text, environment variables and --set key=value laid over each other, with Kafka's
// keys.
//
// What the keys are, and which values they may have, each part of the system declares in a ConfigDef (config_def.h).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace muir {

using Properties = std::map<std::string, std::string>;

// Parses Java-properties text: comments with # or !, '=' ':' or blank between key and value, backslash escapes and
// continued lines, \uXXXX. Errors name `origin` and the line.
Result<Properties> parse_properties(std::string_view text, std::string_view origin);
Result<Properties> load_properties(const std::string& path);

// "key=value" as given to --set.
Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text);

// MUIR_NUM_PARTITIONS=3 means num.partitions=3: upper case, dots as underscores. Only names that start with MUIR_ and
// are not among the program's own (MUIR_LOG_LEVEL, MUIR_BINARY, MUIR_SCREENSHOT, MUIR_TEST_...) count. `environment` is
// like environ.
Properties properties_from_environment(const char* const* environment);

// Reads arbitrary bytes as properties, and of what it read checks that it reads the same when written with escapes.
// Returns 1 for what was read, as every fuzz entry does, and 0 for what was refused.
int fuzz_properties(BytesView input);

// The candidate with the smallest edit distance to `name`, or empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace muir
