// Json: a parsed JSON text that keeps what a registry must not lose: the order of members, and numbers as written
// (1.0 is not 1, and 9223372036854775807 is not 9.223372036854776e18).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::schema {

struct JsonMember;

struct JsonParseOptions {
  int depth_max = 128;    // how deep values may nest
  bool comments = false;  // whether /* these */ and // those are space before and within the value
  // An escaped half of a surrogate pair is good JSON but no text. Taken, it becomes bytes that are not UTF-8, or '?',
  // as which Java writes it.
  enum class Half : unsigned char { refused, bytes, question_mark };
  Half half = Half::refused;
  enum class Twice : unsigned char { last_counts, kept, refused };
  Twice twice = Twice::last_counts;  // of members of one object with the same name
};

// A value with value semantics. Immutable use is thread-safe.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<JsonMember>;
  // A number as its text, which is valid JSON.
  struct Number {
    std::string text;
    bool operator==(const Number&) const = default;
  };

  Json();                        // null
  Json(std::nullptr_t);          // NOLINT: implicit by design, as are the next ones
  Json(bool value);              // NOLINT
  Json(int value);               // NOLINT
  Json(int64_t value);           // NOLINT
  Json(double value);            // NOLINT: one that is not finite becomes the string "NaN", "Infinity" or "-Infinity"
  Json(std::string value);       // NOLINT
  Json(std::string_view value);  // NOLINT
  Json(const char* value);       // NOLINT
  Json(Number value);            // NOLINT
  Json(Array value);             // NOLINT
  Json(Object value);            // NOLINT
  Json(std::initializer_list<JsonMember> members);

  // The first value of `text`, which must hold nothing else. Of members with the same name the last one counts, in the
  // place of the first, unless the options say otherwise.
  static Result<Json> parse(std::string_view text, const JsonParseOptions& options);
  static Result<Json> parse(std::string_view text, int depth_max = 128);

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  [[nodiscard]] bool is_number() const { return std::holds_alternative<Number>(data_); }

  // What it holds, or nullptr when it holds something else.
  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  [[nodiscard]] const Number* as_number() const { return std::get_if<Number>(&data_); }
  [[nodiscard]] const Array* as_array() const { return std::get_if<Array>(&data_); }
  [[nodiscard]] const Object* as_object() const { return std::get_if<Object>(&data_); }
  [[nodiscard]] Array* as_array() { return std::get_if<Array>(&data_); }
  [[nodiscard]] Object* as_object() { return std::get_if<Object>(&data_); }
  // The number when it is an integer within 64 bits ("1", not "1.0"), or any number.
  [[nodiscard]] std::optional<int64_t> as_int64() const;
  [[nodiscard]] std::optional<double> as_double() const;

  // Member of an object; nullptr when absent or when this is no object.
  [[nodiscard]] const Json* find(std::string_view key) const;
  // Sets a member of an object, at the end when it is new.
  void set(std::string_view key, Json value);

  // Compact text: no spaces; of characters above U+007F the UTF-8 bytes as they are.
  [[nodiscard]] std::string to_string() const;
  void append_to(std::string& out) const;
  // The beginning of that text, for messages: however large the value, it costs little.
  [[nodiscard]] std::string excerpt() const;

  bool operator==(const Json& other) const;

 private:
  std::variant<std::monostate, bool, Number, std::string, Array, Object> data_;
};

struct JsonMember {
  std::string key;
  Json value;
  bool operator==(const JsonMember& other) const = default;
};

// Here, where a member is complete, because destroying an object's members needs that.
inline Json::Json() = default;
inline Json::Json(std::nullptr_t) {}
inline Json::Json(bool value) : data_(value) {}
inline Json::Json(int value) : Json(static_cast<int64_t>(value)) {}
inline Json::Json(std::string value) : data_(std::move(value)) {}
inline Json::Json(std::string_view value) : data_(std::string(value)) {}
inline Json::Json(const char* value) : data_(std::string(value)) {}
inline Json::Json(Number value) : data_(std::move(value)) {}
inline Json::Json(Array value) : data_(std::move(value)) {}
inline Json::Json(Object value) : data_(std::move(value)) {}

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
// The shortest text that reads back as the same double ("1.0", "0.1", "1e+300"); for non-finite ones see Json(double).
void append_json_double(std::string& out, double value);

// Parses arbitrary bytes and, when they are JSON, checks that their text parses to an equal value.
// Returns 1 for JSON.
int fuzz_json(BytesView input);

}  // namespace muir::schema
