// Configuration: Java-properties text, environment variables and --set key=value laid over each other, with Kafka's
// keys.
//
// A part of the system declares its keys in a ConfigDef and reads a Properties map through it: types and ranges are
// checked, unknown keys are warned about with the nearest known one, secrets never leave redacted().
#pragma once

#include <cstdint>
#include <limits>
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

enum class ConfigType : unsigned char { string, integer, number, boolean, list };

struct ConfigKey {
  std::string name;
  ConfigType type = ConfigType::string;
  std::string fallback{};  // value when not given
  std::string doc{};
  int64_t min = INT64_MIN;  // integer keys
  int64_t max = INT64_MAX;
  double above = -std::numeric_limits<double>::infinity();  // number keys: the value is between these two
  double below = std::numeric_limits<double>::infinity();
  bool filled = false;                 // string keys: may not be empty
  std::vector<std::string> allowed{};  // string keys; empty: anything
  bool secret = false;
};

// The keys of one part of the system. Immutable after construction; thread-safe.
class ConfigDef {
 public:
  // `component` names the part in messages: "broker", "streams".
  ConfigDef(std::string component, std::vector<ConfigKey> keys);

  [[nodiscard]] const std::vector<ConfigKey>& keys() const { return keys_; }
  [[nodiscard]] const ConfigKey* find(std::string_view name) const;

  // Checks every given key that this definition knows. The error names key, value and what is allowed.
  [[nodiscard]] Status validate(const Properties& given) const;
  // One sentence per key that is not known here and has none of the `passed_through` prefixes ("producer.").
  [[nodiscard]] std::vector<std::string> unknown_keys(const Properties& given,
                                                      const std::vector<std::string>& passed_through = {}) const;

  // Values after validate(): the given one or the key's fallback. The key must be in the definition.
  [[nodiscard]] std::string string(const Properties& given, std::string_view key) const;
  [[nodiscard]] int64_t integer(const Properties& given, std::string_view key) const;
  [[nodiscard]] double number(const Properties& given, std::string_view key) const;
  [[nodiscard]] bool boolean(const Properties& given, std::string_view key) const;
  [[nodiscard]] std::vector<std::string> list(const Properties& given, std::string_view key) const;  // comma separated

  // The given values with secrets replaced, for logs.
  [[nodiscard]] Properties redacted(const Properties& given) const;

 private:
  [[nodiscard]] const ConfigKey& key(std::string_view name) const;
  std::string component_;
  std::vector<ConfigKey> keys_;
};

// Reads arbitrary bytes as properties, and of what it read checks that it reads the same when written with escapes.
// Returns 1 for what was read, as every fuzz entry does, and 0 for what was refused.
int fuzz_properties(BytesView input);

// The candidate with the smallest edit distance to `name`, or empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace muir
