// Avro schemas as the model and back, without loss: what came from Avro goes back to the same text, and what the model
// has and Avro has not comes back from properties.
//
// | Avro | model |
// |---|---|
// | a union of null and one type | that type, nullable |
// | a union of more | a union of what is not null, nullable when null was there |
// | logical types that are valid | decimal, date, time, timestamp, uuid |
// | record, enum, fixed | struct, enum, bytes (or decimal, uuid) with the full name |
// | a record within itself | a reference |
// | an array of MapEntry records | a map whose keys are no strings, as Confluent's Connect converter writes it |
// | default of a field | default of its type |
// | properties connect.type, .name, .version, .doc, .parameters, .default | int8, int16, and what the names say |
//
// All else is kept in annotations: avro.aliases, avro.default_symbol, avro.error, avro.fixed (its size), avro.order,
// avro.null (where null stands in a union) with avro.null.properties, avro.properties and avro.default (as they stand
// in the text, where the model says them otherwise or not at all).
#pragma once

#include "base/status.h"
#include "schema/avro_schema.h"
#include "schema/schema.h"

namespace muir::schema::avro {

// invalid_argument for what the model refuses: enums with empty symbols, types that nest more than 100 deep.
Result<schema::SchemaPtr> to_model(const Schema& schema);

struct FromModelOptions {
  bool strict = true;  // as ParseOptions: off for models of texts that were accepted elsewhere
};

// invalid_argument for what Avro cannot say: names that are none in Avro, one name for two types, branches of one kind
// in a union, properties of a union, a default of a nullable type that is no field's.
Result<SchemaPtr> from_model(const schema::Schema& schema, const FromModelOptions& options = {});

// An array or map in Avro's terms: a map has plain strings as keys, any other is an array of entries.
bool is_avro_map(const schema::Schema& map);

}  // namespace muir::schema::avro
