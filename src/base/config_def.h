// ConfigDef: the keys of one part of the system, each declared once.
//
//   const ConfigDefOf<Limits>& limits_config() {
//     static const ConfigDefOf<Limits> def("limits", {
//         {{.name = "batch.max", .type = ConfigType::int32, .fallback = "500", .doc = "records in one request", .min =
//         1},
//          &Limits::batch_max}});
//     return def;
//   }
//   Limits limits = MUIR_TRY(limits_config().read(given));
//
// From the declaration come values for the code (members of a struct, read once), the check with every mistake at once,
// `muir config`, DescribeConfigs, the answer of Connect's validate, and docs/reference/configuration.md.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/config.h"
#include "base/config_value.h"
#include "base/status.h"

namespace muir {

// Numbers are those of DescribeConfigs' config_type.
enum class ConfigType : int8_t { boolean = 1, string = 2, int32 = 3, int16 = 4, int64 = 5, float64 = 6, list = 7 };
std::string_view to_string(ConfigType type);  // "int32"

// How much a reader of a list of keys should care; as Connect and Kafka sort them.
enum class ConfigImportance : int8_t { high, medium, low };

// Another name of a key. Its value counts `factor` times: log.retention.minutes is log.retention.ms in units of 60000.
struct ConfigSynonym {
  std::string name;
  int64_t factor = 1;
};

struct ConfigKey {
  std::string name;
  ConfigType type = ConfigType::string;
  std::string fallback{};  // the value when none is given
  std::string doc{};
  int64_t min = INT64_MIN;  // whole numbers; those of the type where it has narrower ones
  int64_t max = INT64_MAX;
  double above = -std::numeric_limits<double>::infinity();  // fractions: the value is between these two
  double below = std::numeric_limits<double>::infinity();
  bool required = false;               // there is no fallback: it must be given
  bool filled = false;                 // strings: may not be empty
  std::vector<std::string> allowed{};  // strings, and items of a list; empty: anything
  bool any_case = false;               // letters of allowed words count in either case
  bool secret = false;                 // never shown; so is every key that is_secret_name()
  bool dynamic = false;                // may be changed while the part runs
  ConfigImportance importance = ConfigImportance::medium;
  std::vector<ConfigSynonym> synonyms{};  // where the key itself is not given; the first that is counts
  // Beyond all of these: why the value is none, as a sentence; empty when it is one.
  std::function<std::string(std::string_view value)> check{};
  std::string shown_fallback{};  // for people, where the fallback is worked out: "<application.id>-<process id>"
};

// A value that is not one of its key, or does not go with others.
struct ConfigMistake {
  std::string key;                   // empty: `why` is a whole sentence
  std::optional<std::string> value;  // as given, or hidden; none: it is missing
  std::string why;                   // "expected a whole number from 1 to 1000"
};
using ConfigMistakes = std::vector<ConfigMistake>;
// OK without mistakes, else one message that names them all (each key once).
Status status_of(const ConfigMistakes& mistakes);
void add_mistakes(ConfigMistakes& to, ConfigMistakes more);
void add_failure(ConfigMistakes& to, const Status& failure);  // nothing when it is OK

// What Connect's validate answers of one key (ConfigInfo).
struct ConfigReport {
  const ConfigKey* key = nullptr;
  std::optional<std::string> value;      // given or fallback; none for a required key that is missing
  std::vector<std::string> recommended;  // every value that it may have, where these can be listed
  std::vector<std::string> errors;       // in Kafka's words
};

// Where the value of a key comes from: first the one that counts.
struct ConfigSource {
  std::string name;  // of the key or its synonym
  std::string value;
  bool is_default = false;
};

// The value of a synonym in the key's own unit.
std::string scaled_config(const ConfigSynonym& synonym, const std::string& value);

// Immutable after construction; thread-safe.
class ConfigDef {
 public:
  // `component` names the part in messages: "broker", "streams".
  ConfigDef(std::string component, std::vector<ConfigKey> keys);

  [[nodiscard]] const std::string& component() const { return component_; }
  [[nodiscard]] const std::vector<ConfigKey>& keys() const { return keys_; }  // by name
  // By its name, not its synonyms'. nullptr: none.
  [[nodiscard]] const ConfigKey* find(std::string_view name) const;
  // The key that has this name or synonym.
  [[nodiscard]] const ConfigKey* find_any(std::string_view name) const;

  // Every given value that is wrong, every required key that is missing, and, when all is right by itself, what does
  // not go together. Keys that are not declared here are others' business. `named`: how a key is called in messages.
  using Named = std::function<std::string(const std::string& key)>;
  [[nodiscard]] ConfigMistakes mistakes(const Properties& given, const Named& named = {}) const;
  [[nodiscard]] Status validate(const Properties& given) const { return status_of(mistakes(given)); }
  // One sentence per key that is not known here and has none of the `passed_through` prefixes ("producer.").
  [[nodiscard]] std::vector<std::string> unknown_keys(const Properties& given,
                                                      const std::vector<std::string>& passed_through = {}) const;

  // What is given for a key by its name or a synonym.
  [[nodiscard]] static std::optional<std::string> given_value(const Properties& given, const ConfigKey& key);
  // The value that counts: the given one, else the fallback. The key must be declared here.
  [[nodiscard]] std::string value(const Properties& given, std::string_view key) const;
  // The places that a value may come from, first the one that counts; secrets are hidden.
  [[nodiscard]] std::vector<ConfigSource> sources(const Properties& given, const ConfigKey& key) const;
  [[nodiscard]] std::vector<ConfigReport> report(const Properties& given) const;

 protected:
  // Fills a struct from `given` and adds what does not go together; for mistakes().
  std::function<void(const Properties& given, ConfigMistakes& out)> together_;

 private:
  std::string component_;
  std::vector<ConfigKey> keys_;
};

// Why `value` is none of the key's, in Kafka's words ("Value must be at least 1"); empty when it is one.
std::string why_wrong(const ConfigKey& key, std::string_view value);
// What it may be, for people: "a whole number from 1 to 1000"; empty: any text.
std::string allowed_text(const ConfigKey& key);
// The mistake that `value` is for the key under `name`, if it is one.
std::optional<ConfigMistake> mistake_of(const ConfigKey& key, std::string_view name, std::string_view value);

// A key and the member of Settings that takes its value: a pointer to member, a function that returns a reference, or
// one that takes the text.
template <class Settings>
struct ConfigField {
  ConfigField(ConfigKey declared) : key(std::move(declared)) {}  // NOLINT: a key that the code does not read by member
  template <class Value>
  ConfigField(ConfigKey declared, Value Settings::*member)
      : key(std::move(declared)),
        store([member](Settings& out, std::string_view text) { assign_config(text, out.*member); }) {}
  template <class Place>
  requires std::is_invocable_v<Place, Settings&> ConfigField(ConfigKey declared, Place place)
      : key(std::move(declared)),
        store([place](Settings& out, std::string_view text) { assign_config(text, place(out)); }) {}

  template <class Store>
  requires std::is_invocable_v<Store, Settings&, std::string_view> ConfigField(ConfigKey declared, Store keep)
      : key(std::move(declared)), store(std::move(keep)) {}

  ConfigKey key;
  std::function<void(Settings&, std::string_view text)> store{};
};

// A member of a member, for ConfigField: within(&Config::limits, &Limits::speed_kmh).
template <class Settings, class Part, class... Inner>
auto within(Part Settings::*part, Inner... inner) {
  return [=](Settings& settings) -> decltype(auto) { return ((settings.*part).*....*inner); };
}

template <class Settings>
class ConfigDefOf final : public ConfigDef {
 public:
  // Adds a mistake for each pair of values that does not go together.
  using Rule = std::function<void(const Settings&, ConfigMistakes& out)>;

  ConfigDefOf(std::string component, std::vector<ConfigField<Settings>> fields, std::vector<Rule> rules = {})
      : ConfigDef(std::move(component), keys_of(fields)), fields_(std::move(fields)), rules_(std::move(rules)) {
    together_ = [this](const Properties& given, ConfigMistakes& out) {
      if (rules_.empty()) return;
      Settings settings{};
      fill(given, settings);
      for (const Rule& rule : rules_) rule(settings, out);
    };
  }
  ConfigDefOf(const ConfigDefOf&) = delete;
  ConfigDefOf& operator=(const ConfigDefOf&) = delete;

  // The settings, or every mistake there is.
  [[nodiscard]] Result<Settings> read(const Properties& given) const {
    MUIR_RETURN_IF_ERROR(validate(given));
    Settings out{};
    fill(given, out);
    return out;
  }
  // The same laid over settings that have other members too.
  [[nodiscard]] Status read_into(Settings& out, const Properties& given) const {
    MUIR_RETURN_IF_ERROR(validate(given));
    fill(given, out);
    return {};
  }
  // Of values without mistakes.
  void fill(const Properties& given, Settings& out) const {
    for (const auto& field : fields_) {
      if (!field.store) continue;
      // Without a fallback the member keeps what it has.
      if (const auto text = given_value(given, field.key)) {
        field.store(out, *text);
      } else if (!field.key.fallback.empty()) {
        field.store(out, field.key.fallback);
      }
    }
  }

 private:
  static std::vector<ConfigKey> keys_of(const std::vector<ConfigField<Settings>>& fields) {
    std::vector<ConfigKey> out;
    out.reserve(fields.size());
    for (const auto& field : fields) out.push_back(field.key);
    return out;
  }
  std::vector<ConfigField<Settings>> fields_;
  std::vector<Rule> rules_;
};

}  // namespace muir
