// Compressed blocks read piece by piece: what comes out, what is refused, and how much memory it takes.
#include "wire/block_stream.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <random>
#include <vector>

#include "wire/block_writer.h"

namespace muir::wire {
namespace {

constexpr Compression kCodecs[] = {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4,
                                   Compression::zstd};
constexpr size_t kMib = size_t{1} << 20;

Bytes sample(size_t size) {
  std::mt19937_64 engine(size);
  Bytes out(size, '\0');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i % 7 == 0 ? engine() : i / 100);
  return out;
}

Bytes packed(Compression codec, BytesView block) {
  Bytes out;
  EXPECT_TRUE(compress(codec, block, out).ok());
  return out;
}

// `zeros` zeros.
Bytes bomb(Compression codec, size_t zeros) {
  static const Bytes piece(kMib, '\0');
  Bytes out;
  auto writer = BlockWriter::make(codec);
  EXPECT_TRUE(writer.ok());
  for (size_t i = 0; i < zeros; i += piece.size()) EXPECT_TRUE((*writer)->write(piece, out).ok());
  EXPECT_TRUE((*writer)->finish(out).ok());
  return out;
}

// Reads all of it in pieces of that size.
Status read_all(BlockStream& stream, size_t piece, Bytes& out) {
  Bytes buffer(piece, '\0');
  for (;;) {
    const auto got = stream.read(buffer.data(), piece);
    if (!got.ok()) return got.status();
    out.append(buffer, 0, *got);
    if (*got < piece) return {};
  }
}

TEST(BlockStream, GivesTheSameInPiecesOfAnySize) {
  BlockStream stream;  // one for all: nothing of a block is left for the next
  for (const Compression codec : kCodecs) {
    for (const size_t size : {0, 1, 100, 32768, 70'000, 500'000}) {
      const Bytes block = sample(size);
      const Bytes compressed = packed(codec, block);
      for (const size_t piece : {1, 7, 4096, 32'768, 1'000'000}) {
        SCOPED_TRACE(fmt::format("{}: {} bytes in pieces of {}", name_of(codec), size, piece));
        if (piece < 10 && size > 1000) continue;
        stream.open(codec, compressed);
        Bytes out;
        const Status status = read_all(stream, piece, out);
        ASSERT_TRUE(status.ok()) << status.message();
        EXPECT_TRUE(out == block);
        char more = 0;
        EXPECT_EQ(*stream.read(&more, 1), 0U);
      }
    }
  }
}

TEST(BlockStream, ABlockThatLiesNowhereIsEmpty) {
  BlockStream stream;
  stream.open(Compression::none, BytesView());
  char more = 0;
  EXPECT_EQ(*stream.read(&more, 1), 0U);
}

TEST(BlockStream, WhatIsWrittenInPiecesReadsAsOne) {
  std::mt19937_64 engine(20261128);
  const Bytes block = sample(400'000);
  for (const Compression codec : kCodecs) {
    for (const size_t piece : {1000, 32'768, 100'000}) {
      SCOPED_TRACE(fmt::format("{} in pieces of {}", name_of(codec), piece));
      auto writer = BlockWriter::make(codec);
      ASSERT_TRUE(writer.ok());
      Bytes compressed;
      for (size_t at = 0; at < block.size(); at += piece) {
        ASSERT_TRUE((*writer)->write(BytesView(block).substr(at, piece), compressed).ok());
      }
      ASSERT_TRUE((*writer)->finish(compressed).ok());
      Bytes out;
      ASSERT_TRUE(decompress(codec, compressed, block.size(), out).ok());
      EXPECT_TRUE(out == block);
    }
  }
}

TEST(BlockStream, ABombTakesNoMoreMemoryThanAnyOther) {
  constexpr size_t kZeros = 128 * kMib;
  Bytes window(256 << 10, '\0');
  for (const Compression codec : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    SCOPED_TRACE(name_of(codec));
    const Bytes compressed = bomb(codec, kZeros);
    BlockStream stream;
    stream.open(codec, compressed, kHistoryBytesUsual);
    size_t total = 0;
    size_t peak = 0;
    for (size_t got = window.size(); got == window.size(); total += got) {
      const auto read = stream.read(window.data(), window.size());
      ASSERT_TRUE(read.ok()) << read.status().message();
      got = *read;
      peak = std::max(peak, stream.memory_bytes());
    }
    EXPECT_EQ(total, kZeros);
    EXPECT_LT(peak, 5 * kMib);
    stream.release_large();
    EXPECT_LT(stream.memory_bytes(), kMib);
  }
}

Bytes lz4_linked(BytesView block) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockLinked;
  Bytes out(LZ4F_compressFrameBound(block.size(), &preferences), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), block.data(), block.size(), &preferences));
  return out;
}

Bytes zstd_with_window(int log) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, log);
  Bytes out(1000, '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer in{"abc", 3, 0};
  ZSTD_compressStream2(context.get(), &to, &in, ZSTD_e_flush);  // the size is not known: the window stays as it is
  ZSTD_compressStream2(context.get(), &to, &in, ZSTD_e_end);
  out.resize(to.pos);
  return out;
}

Bytes snappy_raw(size_t zeros) {
  Bytes out;
  const Bytes block(zeros, '\0');
  snappy::Compress(block.data(), block.size(), &out);
  return out;
}

TEST(BlockStream, RefusesWhatIsDamagedAndWhatNeedsTooMuchHistory) {
  struct Case {
    std::string name;
    Compression codec;
    Bytes block;
    size_t history_max = kHistoryBytesMax;
    Code want = Code::data_loss;
  };
  std::vector<Case> cases = {
      {"lz4: two frames", Compression::lz4, packed(Compression::lz4, "abc") + packed(Compression::lz4, "def")},
      {"lz4: linked blocks", Compression::lz4, lz4_linked(sample(100'000))},
      {"gzip: two members", Compression::gzip, packed(Compression::gzip, "abc") + packed(Compression::gzip, "def"),
       kHistoryBytesUsual, Code::ok},
      {"zstd: two frames", Compression::zstd, packed(Compression::zstd, "abc") + packed(Compression::zstd, "def"),
       kHistoryBytesUsual, Code::ok},
      {"snappy: two streams", Compression::snappy,
       packed(Compression::snappy, "abc") + packed(Compression::snappy, "def"), kHistoryBytesUsual, Code::ok},
      {"zstd: a usual window", Compression::zstd, zstd_with_window(23), kHistoryBytesUsual, Code::ok},
      {"zstd: a large window", Compression::zstd, zstd_with_window(24), kHistoryBytesUsual, Code::resource_exhausted},
      {"zstd: a large window, allowed", Compression::zstd, zstd_with_window(27), kHistoryBytesMax, Code::ok},
      {"zstd: a window above all limits", Compression::zstd, zstd_with_window(28), kHistoryBytesMax,
       Code::resource_exhausted},
      {"snappy: a raw block", Compression::snappy, snappy_raw(8 * kMib), kHistoryBytesUsual, Code::ok},
      {"snappy: a large raw block", Compression::snappy, snappy_raw(9 * kMib), kHistoryBytesUsual,
       Code::resource_exhausted},
      {"snappy: a large raw block, allowed", Compression::snappy, snappy_raw(9 * kMib), kHistoryBytesMax, Code::ok},
      {"snappy: a length that cannot be", Compression::snappy,
       "\xff\xff\xff\x3f\x08"
       "abc"},
  };
  for (const Compression codec : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    const Bytes good = packed(codec, sample(100'000));
    const auto add = [&](std::string_view name, Bytes block) {
      cases.push_back({fmt::format("{}: {}", name_of(codec), name), codec, std::move(block)});
    };
    for (const size_t cut : {size_t{1}, size_t{10}, size_t{20}, good.size() / 2, good.size() - 1}) {
      add(fmt::format("cut at {}", cut), good.substr(0, cut));
    }
    add("rubbish behind", good + "rubbish and more rubbish");
    add("zeros behind", good + Bytes(64, '\0'));
    add("rubbish", "rubbish rubbish rubbish rubbish");
  }
  BlockStream stream;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    stream.open(c.codec, c.block, c.history_max);
    Bytes out;
    const Status status = read_all(stream, 10'000, out);
    EXPECT_EQ(status.code(), c.want) << status.message();
    char more = 0;
    EXPECT_EQ(stream.read(&more, 1).status().code(), c.want) << "asked once more";
  }
}

}  // namespace
}  // namespace muir::wire
