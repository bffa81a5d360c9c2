// Raw deflate (RFC 1951), as Avro's container files use it.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

namespace muir::schema::internal {

Result<Bytes> deflate_bytes(BytesView bytes);
// Fails rather than produce more than `bytes_max`.
Result<Bytes> inflate_bytes(BytesView bytes, size_t bytes_max);

}  // namespace muir::schema::internal
