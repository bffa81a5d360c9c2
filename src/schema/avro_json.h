// Values as JSON, in two forms: Avro's own, which reads back, and the plain one that people expect of REST.
#pragma once

#include "base/status.h"
#include "schema/avro_schema.h"
#include "schema/avro_value.h"
#include "schema/json.h"

namespace muir::schema::avro {

// Avro's JSON encoding: a union's value is {"branch": value} unless null, bytes are strings of U+0000 to U+00FF.
Result<Json> to_avro_json(const Schema& schema, const Value& value);
Result<Value> from_avro_json(const Schema& schema, const Json& json);

// The same without the names of branches. Reading tries a union's branches in order, and gives an absent field its
// default.
Result<Json> to_plain_json(const Schema& schema, const Value& value);
Result<Value> from_plain_json(const Schema& schema, const Json& json);

}  // namespace muir::schema::avro
