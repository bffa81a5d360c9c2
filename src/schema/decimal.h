// Decimals as bytes: the number without its point, big-endian two's complement, in as few bytes as hold it. Avro, Kafka
// Connect and the JDBC world write them so; the scale is in the schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace muir::schema {

// The same number without bytes that say nothing: leading zeros, or leading ones of a negative.
BytesView shortest_decimal(BytesView unscaled);

// "-12.50" of -1250 and scale 2.
std::string decimal_text(BytesView unscaled, int32_t scale);

// The unscaled number of "-12.5" at scale 2: digits, perhaps with a sign and a point. Nothing when the text is none,
// has more than `scale` digits behind the point that are not 0, or more than `precision` digits in all.
std::optional<Bytes> decimal_from_text(std::string_view text, int32_t precision, int32_t scale);

// The unscaled number when it fits.
std::optional<int64_t> decimal_as_int64(BytesView unscaled);
Bytes decimal_from_int64(int64_t unscaled);

// Below, at, or above 0 as a is less than, equal to or greater than b; both of one scale and as short as can be.
int compare_decimals(BytesView a, BytesView b);

}  // namespace muir::schema
