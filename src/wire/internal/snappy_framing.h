// snappy-java's framing: a magic, version and lowest compatible version (int32 each), then chunks of int32 length and
// raw snappy. Java writes it; librdkafka and others write one raw block.
#pragma once

#include "base/bytes.h"

namespace muir::wire {

inline constexpr BytesView kSnappyJavaMagic("\x82SNAPPY\0", 8);
inline constexpr size_t kSnappyJavaHeaderBytes = 16;
inline constexpr size_t kSnappyJavaChunkBytes = size_t{32} << 10;  // before compression; what Java writes

}  // namespace muir::wire
