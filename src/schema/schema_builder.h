// SchemaBuilder: how schemas are made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "schema/schema.h"

namespace muir::schema {

struct FieldAttributes {
  std::optional<std::string> doc{};
  Attributes annotations{};
};

// Collects the parts of one schema; build() checks them. Used by one thread.
//
//   const SchemaPtr position = SchemaBuilder::structure("fleet.Position")
//                                  .field("vehicle", Type::string)
//                                  .field("speed", SchemaBuilder(Type::float64).nullable())
//                                  .build().value();
class SchemaBuilder {
 public:
  // A type that needs nothing more: neither decimal, time and timestamp nor those with parts.
  SchemaBuilder(Type type);  // NOLINT: implicit by design
  // Begins with all of `schema`.
  explicit SchemaBuilder(const Schema& schema);

  static SchemaBuilder decimal(int32_t precision, int32_t scale);
  static SchemaBuilder time(TimeUnit unit);
  static SchemaBuilder timestamp(TimeUnit unit, bool with_zone);
  static SchemaBuilder enumeration(std::string_view name, std::vector<std::string> symbols);
  static SchemaBuilder array(SchemaPtr element);
  static SchemaBuilder map(SchemaPtr key, SchemaPtr value);
  // Without a name when `name` is empty.
  static SchemaBuilder structure(std::string_view name = {});
  // Branches are told apart by what they are: none is a union, null, or nullable; the union may be nullable.
  static SchemaBuilder union_of(std::vector<SchemaPtr> branches);
  // The structure of that name, which holds this or stands before it.
  static SchemaBuilder reference(std::string_view name);

  SchemaBuilder& field(std::string_view name, SchemaPtr schema, FieldAttributes attributes = {});
  // A failure of `schema` becomes one of build().
  SchemaBuilder& field(std::string_view name, const SchemaBuilder& schema, FieldAttributes attributes = {});

  SchemaBuilder& nullable(bool value = true);
  SchemaBuilder& default_value(Json value);
  SchemaBuilder& no_default();
  SchemaBuilder& name(std::string_view name);
  SchemaBuilder& version(int32_t version);
  SchemaBuilder& doc(std::string_view text);
  SchemaBuilder& parameter(std::string_view key, std::string_view value);
  SchemaBuilder& annotation(std::string_view key, std::string_view value);

  // invalid_argument says what is wrong: names that are empty or occur twice, a precision that is none, a default that
  // is no value, nesting beyond 512.
  [[nodiscard]] Result<SchemaPtr> build() const;

 private:
  // The parts, checked, with what follows from them.
  [[nodiscard]] Result<std::shared_ptr<const Schema::Body>> made_body() const;
  static size_t hash_of(const Schema& made);

  Schema made_;
  Schema::Body body_;
  std::shared_ptr<const Schema::Body> shared_body_;  // of the schema that this one began with, while nothing was added
  Status failure_;
};

// The schema of a type that needs nothing more, as SchemaBuilder(type) makes it.
SchemaPtr basic(Type type);

}  // namespace muir::schema
