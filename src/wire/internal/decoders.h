// The decompressors behind BlockStream, one per codec, and what their errors are.
#pragma once

#include <memory>

#include "wire/block_stream.h"

namespace muir::wire {

// Null when there is no memory.
std::unique_ptr<BlockDecoder> make_plain_decoder();
std::unique_ptr<BlockDecoder> make_gzip_decoder();
std::unique_ptr<BlockDecoder> make_snappy_decoder();
std::unique_ptr<BlockDecoder> make_lz4_decoder();
std::unique_ptr<BlockDecoder> make_zstd_decoder();

inline Status damaged_block(Compression codec, std::string_view why) {
  return error(Code::data_loss, "decompress {}: {}", name_of(codec), why);
}
inline Status too_much_history(Compression codec, std::string_view what, size_t history_max) {
  return error(Code::resource_exhausted, "decompress {}: {} of more than {} bytes", name_of(codec), what, history_max);
}

}  // namespace muir::wire
