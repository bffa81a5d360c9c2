#include "wire/compression.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include <random>

namespace muir::wire {
namespace {

constexpr Compression kCodecs[] = {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4,
                                   Compression::zstd};

Bytes sample(size_t size, bool random) {
  std::mt19937_64 engine(size);
  Bytes out(size, '\0');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(random ? engine() : i / 100);
  return out;
}

TEST(Compression, EveryCodecReturnsWhatItWasGiven) {
  for (const Compression codec : kCodecs) {
    for (const size_t size : {0, 1, 100, 70000, 500000}) {
      for (const bool random : {false, true}) {
        SCOPED_TRACE(fmt::format("{} of {} bytes", name_of(codec), size));
        const Bytes block = sample(size, random);
        Bytes packed = "before";
        ASSERT_TRUE(compress(codec, block, packed).ok());
        Bytes unpacked = "before";
        const Status status = decompress(codec, BytesView(packed).substr(6), size, unpacked);
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_TRUE(unpacked == "before" + block);
      }
    }
  }
}

TEST(Compression, RefusesMoreBytesThanTheLimit) {
  for (const Compression codec : kCodecs) {
    Bytes packed;
    ASSERT_TRUE(compress(codec, Bytes(1 << 20, 'x'), packed).ok());
    Bytes unpacked;
    EXPECT_EQ(decompress(codec, packed, (1 << 20) - 1, unpacked).code(), Code::resource_exhausted) << name_of(codec);
  }
}

TEST(Compression, RefusesTruncatedBlocks) {
  for (const Compression codec : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    Bytes packed;
    ASSERT_TRUE(compress(codec, sample(5000, true), packed).ok());
    for (const size_t size : {size_t{1}, size_t{10}, packed.size() / 2, packed.size() - 1}) {
      Bytes unpacked;
      EXPECT_FALSE(decompress(codec, BytesView(packed).substr(0, size), 1 << 20, unpacked).ok())
          << name_of(codec) << " cut at " << size;
    }
  }
}

TEST(Compression, ReadsRawSnappyToo) {
  const Bytes block = sample(90000, false);
  Bytes raw;
  snappy::Compress(block.data(), block.size(), &raw);
  Bytes unpacked;
  ASSERT_TRUE(decompress(Compression::snappy, raw, 90000, unpacked).ok());
  EXPECT_EQ(unpacked, block);
}

TEST(Compression, SnappyIsWrittenInSnappyJavasFraming) {
  Bytes packed;
  ASSERT_TRUE(compress(Compression::snappy, "abc", packed).ok());
  EXPECT_EQ(hex(packed), "82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 00 00 00 05 03 08 61 62 63");
}

TEST(Compression, NamesAreThoseOfCompressionType) {
  for (const Compression codec : kCodecs) EXPECT_EQ(parse_compression(name_of(codec)), codec);
  EXPECT_EQ(parse_compression("brotli"), std::nullopt);
}

}  // namespace
}  // namespace muir::wire
