// Defaults of the model: plain JSON that must be a value of its schema.
#pragma once

#include "base/status.h"
#include "schema/json.h"
#include "schema/schema.h"

namespace muir::schema::internal {

// Whether `json` is a value of `schema`. Of a reference nothing is known but that it is an object.
Status check_plain(const Schema& schema, const Json& json);

}  // namespace muir::schema::internal
