// What both directions between Avro and the model share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "schema/avro_schema.h"
#include "schema/schema.h"

namespace muir::schema::avro::internal {

// Annotations of the model.
inline constexpr std::string_view kAliases = "avro.aliases";
inline constexpr std::string_view kDefault = "avro.default";
inline constexpr std::string_view kDefaultSymbol = "avro.default_symbol";
inline constexpr std::string_view kError = "avro.error";
inline constexpr std::string_view kFixed = "avro.fixed";
inline constexpr std::string_view kNull = "avro.null";
inline constexpr std::string_view kNullProperties = "avro.null.properties";
inline constexpr std::string_view kOrder = "avro.order";
inline constexpr std::string_view kProperties = "avro.properties";

// Properties in Avro. "connect." are those of Confluent's converter.
inline constexpr std::string_view kConnectType = "connect.type";
inline constexpr std::string_view kConnectName = "connect.name";
inline constexpr std::string_view kConnectVersion = "connect.version";
inline constexpr std::string_view kConnectDoc = "connect.doc";
inline constexpr std::string_view kConnectParameters = "connect.parameters";
inline constexpr std::string_view kConnectDefault = "connect.default";
inline constexpr std::string_view kMuirType = "muir.type";  // "time-nanos", which Avro has no logical type for
inline constexpr std::string_view kUnnamed = "muir.unnamed";

inline const std::string* annotation(const Attributes& annotations, std::string_view key) {
  const auto found = annotations.find(key);
  return found == annotations.end() ? nullptr : &found->second;
}

// Names for what has none: Confluent's, then with 2, 3, ... behind. Both directions meet types in the same order.
class NameMaker {
 public:
  std::string record() { return made("io.confluent.connect.avro.ConnectDefault", records_); }
  std::string enumeration() { return made("io.confluent.connect.avro.ConnectDefaultEnum", enums_); }
  std::string entry() { return made("io.confluent.connect.avro.MapEntry", entries_); }
  [[nodiscard]] std::string next_entry() const {
    NameMaker copy = *this;
    return copy.entry();
  }

 private:
  static std::string made(std::string_view base, int& count) {
    ++count;
    return count == 1 ? std::string(base) : fmt::format("{}{}", base, count);
  }
  int records_ = 0;
  int enums_ = 0;
  int entries_ = 0;
};

// Whether a type has a name of its own in Avro: record, enum, fixed.
bool is_named(const schema::Schema& schema);

// The properties that say what a type is besides its Avro type. `with_default`: its default, too, because it is no
// field.
std::vector<JsonMember> properties_of(const schema::Schema& schema, bool with_default);

// A default as the model has it, from Avro's form and back. The first is a guess that need not be a value of `schema`.
Json default_to_model(const schema::Schema& schema, const Json& json);
Json default_from_model(const schema::Schema& schema, const Json& json);

// Where null stands in the union of a nullable type that says nothing else: first, but a default that is not null needs
// its own type there, as older readers have it.
size_t usual_null_place(size_t others, const Json* default_value);

}  // namespace muir::schema::avro::internal
