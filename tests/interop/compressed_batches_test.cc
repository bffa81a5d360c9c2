// Which compressed batches of a producer are taken, and how the others are refused: on our broker as on Apache Kafka
// 4.3.1. What Apache Kafka takes although its consumers could not read it, is refused by ours.
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>

#include "broker/internal/broker_fixture.h"
#include "brokers.h"
#include "wire/batch_builder.h"
#include "wire/block_writer.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/produce.h"
#include "wire/record_batch.h"

namespace muir::interop {
namespace {

using broker::TestClient;
using wire::Compression;
using wire::ErrorCode;

constexpr int kRecords = 3;

Bytes records_of(size_t value_bytes) {
  wire::BatchBuilder builder;
  for (int i = 0; i < kRecords; ++i) builder.add(1000 + i, "key", Bytes(value_bytes, 'v'));
  return builder.build().substr(wire::kBatchHeaderBytes);
}

Bytes block_of(Compression codec, BytesView records) {
  Bytes out;
  EXPECT_TRUE(wire::compress(codec, records, out).ok());
  return out;
}

Bytes batch_of(Compression codec, BytesView block, int records = kRecords) {
  wire::BatchBuilder builder;
  for (int i = 0; i < records; ++i) builder.add(1000 + i, "key", "v");
  Bytes out = builder.build().substr(0, wire::kBatchHeaderBytes);
  out += block;
  wire::finish_payload(out, codec);
  return out;
}

Bytes lz4_linked(BytesView records) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockLinked;
  Bytes out(LZ4F_compressFrameBound(records.size(), &preferences), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), records.data(), records.size(), &preferences));
  return out;
}

Bytes zstd_window(int log, BytesView records) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log);
  Bytes out(ZSTD_compressBound(records.size()) + 100, '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  // In two steps, so that the size is not known and the window stays as it is.
  ZSTD_inBuffer in{records.data(), records.size() / 2, 0};
  ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush);
  in.size = records.size();
  while (ZSTD_compressStream2(context, &to, &in, ZSTD_e_end) != 0) {
  }
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

Bytes snappy_raw(BytesView records) {
  Bytes out;
  snappy::Compress(records.data(), records.size(), &out);
  return out;
}

class CompressedBatches : public OnBothBrokers {
 protected:
  CompressedBatches() : client_(static_cast<uint16_t>(std::stoi(bootstrap().substr(bootstrap().rfind(':') + 1)))) {}

  ErrorCode produce(const std::string& topic, BytesView batch) {
    wire::ProduceRequest request;
    request.acks = 1;
    request.timeout_ms = 60'000;
    request.topic_data.push_back({topic, {}, {{0, batch, {}}}, {}});
    return client_.call(request, 10).responses.at(0).partition_responses.at(0).error_code;
  }
  void make_topic(const std::string& name, const std::string& compression) {
    wire::CreateTopicsRequest create;
    create.timeout_ms = 20'000;
    create.topics.push_back({name, 1, 1, {}, {{"compression.type", compression, {}}}, {}});
    (void)client_.call(create, 7);
  }

  TestClient client_;
};

enum class Fate : unsigned char {
  taken,
  refused,         // INVALID_RECORD
  unreadable,      // Apache Kafka has no better word for it than UNKNOWN_SERVER_ERROR; ours is INVALID_RECORD
  taken_by_kafka,  // which ignores what is behind the records; not every consumer does, so ours refuses it
};

struct Case {
  std::string name;
  Compression codec;
  Bytes block;
  Fate fate = Fate::taken;
  int records = kRecords;
};

std::vector<Case> cases_of(Compression codec) {
  const Bytes small = records_of(100);
  const Bytes good = block_of(codec, small);
  const size_t half = small.size() / 2;
  const Bytes two = block_of(codec, small.substr(0, half)) + block_of(codec, small.substr(half));
  const bool lz4 = codec == Compression::lz4;  // it reads one frame, and takes no notice of what follows
  const bool careless = lz4 || codec == Compression::gzip;
  const Fate behind = careless ? Fate::taken_by_kafka : Fate::unreadable;
  return {
      {"honest", codec, good},
      {"bytes after the last record", codec, block_of(codec, small + "xyz"), Fate::refused},
      {"fewer records than counted", codec, good, Fate::refused, kRecords + 1},
      {"more records than counted", codec, good, Fate::refused, kRecords - 1},
      {"truncated", codec, good.substr(0, good.size() - 5), Fate::unreadable},
      {"half", codec, good.substr(0, good.size() / 2), Fate::unreadable},
      {"rubbish behind the block", codec, good + "rubbish and more rubbish and more", behind},
      {"zeros behind the block", codec, good + Bytes(100, '\0'), behind},
      {"no block", codec, "", codec == Compression::zstd ? Fate::refused : Fate::unreadable},
      {"rubbish", codec, "rubbish rubbish rubbish rubbish", Fate::unreadable},
      {"two blocks", codec, two, lz4 ? Fate::refused : Fate::taken},
      {"an empty block first", codec, block_of(codec, "") + good, lz4 ? Fate::refused : Fate::taken},
      {"an empty block behind", codec, good + block_of(codec, ""), lz4 ? Fate::taken_by_kafka : Fate::taken},
  };
}

std::vector<Case> further_cases() {
  const Bytes small = records_of(100);
  std::vector<Case> out = {
      {"far more than its bytes", Compression::zstd, block_of(Compression::zstd, records_of(30'000'000))},
      {"linked blocks", Compression::lz4, lz4_linked(records_of(100'000)), Fate::unreadable},
      {"raw", Compression::snappy, snappy_raw(small)},
      {"raw, with rubbish", Compression::snappy, snappy_raw(small) + "rubbish", Fate::unreadable},
      {"raw, announcing too much", Compression::snappy, "\xff\xff\xff\x7f" + snappy_raw(small), Fate::unreadable},
  };
  for (const int log : {20, 24, 27, 28}) {
    const Fate fate = log <= 27 ? Fate::taken : Fate::unreadable;
    out.push_back({fmt::format("window of 2^{}", log), Compression::zstd, zstd_window(log, small), fate});
  }
  return out;
}

TEST_P(CompressedBatches, AreTakenOrRefused) {
  std::vector<Case> cases = further_cases();
  for (const auto codec : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    std::ranges::move(cases_of(codec), std::back_inserter(cases));
  }
  const bool ours = GetParam() == Vendor::muir;
  const auto code = [&](Fate fate) {
    switch (fate) {
      case Fate::refused: return ErrorCode::invalid_record;
      case Fate::unreadable: return ours ? ErrorCode::invalid_record : ErrorCode::unknown_server_error;
      case Fate::taken_by_kafka: return ours ? ErrorCode::invalid_record : ErrorCode::none;
      default: return ErrorCode::none;
    }
  };
  make_topic("compressed", "producer");
  make_topic("recompressed", "gzip");
  for (const auto& c : cases) {
    SCOPED_TRACE(fmt::format("{}: {}", wire::name_of(c.codec), c.name));
    const Bytes batch = batch_of(c.codec, c.block, c.records);
    EXPECT_EQ(produce("compressed", batch), code(c.fate));
    EXPECT_EQ(produce("recompressed", batch), code(c.fate));
  }
  // In the topic's codec, too, a batch must not be too large.
  make_topic("uncompressed", "uncompressed");
  const Bytes large = batch_of(Compression::zstd, block_of(Compression::zstd, records_of(1'000'000)));
  EXPECT_EQ(produce("uncompressed", large), ErrorCode::message_too_large);
}

INSTANTIATE_TEST_SUITE_P(Brokers, CompressedBatches, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
