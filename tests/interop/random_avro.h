// Random Avro schemas, changes to them, and data of them, each drawn from a seed.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "schema/avro_schema.h"
#include "schema/avro_value.h"
#include "schema/json.h"

namespace muir::interop {

class RandomAvro {
 public:
  explicit RandomAvro(uint32_t seed) : random_(seed) {}

  // A schema that is well-formed more often than not.
  schema::Json schema();
  // The same after one to three changes that people make: fields and symbols come and go, types are widened or renamed.
  // Renamed types keep their old name as an alias when `with_alias` says so, else perhaps.
  schema::Json changed(const schema::Json& json, bool with_alias);
  // Nothing for types whose values never end.
  std::optional<schema::avro::Value> value(const schema::avro::Schema& schema);

 private:
  size_t below(size_t n) { return random_() % n; }
  bool once_in(size_t n) { return below(n) == 0; }
  template <class T, size_t kSize>
  const T& one_of(const T (&items)[kSize]) {
    return items[below(kSize)];
  }

  schema::Json type(int depth);
  schema::Json primitive();
  schema::Json named(int depth);
  schema::Json record(schema::Json json, int depth);
  // `unused`: names that no field of the record has.
  schema::Json field(const std::string& name, std::vector<std::string>& unused, int depth);
  schema::Json union_of(int depth);
  schema::Json default_of(const schema::Json& type);
  schema::Json change(schema::Json json, int depth);
  schema::Json change_object(schema::Json json, int depth);
  void change_name(schema::Json& json);
  std::vector<std::string> unused_names(const schema::Json::Array& fields);
  schema::Json change_fields(schema::Json json, int depth);
  void add_attributes(schema::Json& json);
  schema::avro::Value part(const schema::avro::Schema& schema, int depth);

  std::mt19937 random_;
  std::string space();

  bool with_alias_ = false;
  bool with_spaces_ = false;
  std::vector<std::string> defined_;  // full names, of the schema being made
  int parts_left_ = 0;                // of the value being made
};

}  // namespace muir::interop
