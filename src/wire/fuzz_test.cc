// Mutations of what arrives on a connection.
#include <gtest/gtest.h>

#include "testing/mutations.h"
#include "wire/batch_builder.h"
#include "wire/message_table.h"
#include "wire/random_messages.h"

namespace muir::wire {
namespace {

TEST(FuzzMessage, SurvivesMutations) {
  std::vector<Bytes> valid;
  ASSERT_LE(message_fields().size(), 256U);  // a byte chooses one
  for (size_t i = 0; i < message_fields().size(); ++i) {
    const MessageFields& message = message_fields()[i];
    for (const int16_t version : {message.version_min, message.version_max}) {
      Bytes input{static_cast<char>(i), static_cast<char>(version - message.version_min)};
      RandomMessage(message, version, valid.size()).append_to(input);
      valid.push_back(std::move(input));
    }
  }
  testing::survive_mutations("wire_message", fuzz_message, valid, {.rounds = 30'000});
}

TEST(FuzzBatches, SurviveMutations) {
  std::vector<Bytes> valid;
  for (const auto codec :
       {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    BatchOptions options;
    options.compression = codec;
    BatchBuilder builder(options);
    for (int i = 0; i < 5; ++i)
      builder.add(i, "some key", "a value", std::vector<RecordHeaderView>{{"h", std::nullopt}, {"i", "x"}});
    ASSERT_TRUE(builder.build(valid.emplace_back()).ok());
  }
  valid.push_back(valid[0] + valid[4]);
  testing::survive_mutations("wire_batches", fuzz_batches, valid, {.rounds = 20'000});
}

}  // namespace
}  // namespace muir::wire
