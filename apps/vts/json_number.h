// Numbers in the JSON that the tracking system writes are numbers, or null.
#pragma once

#include <cmath>
#include <string>

#include "schema/json.h"

namespace muir::vts {

// JSON has no infinities: null for what is not finite.
inline void append_json_number(std::string& out, double value) {
  if (std::isfinite(value)) {
    schema::append_json_double(out, value);
  } else {
    out += "null";
  }
}

}  // namespace muir::vts
