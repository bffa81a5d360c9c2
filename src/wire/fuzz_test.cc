// Mutations of what arrives on a connection.
#include <gtest/gtest.h>

#include <algorithm>

#include "testing/mutations.h"
#include "wire/batch_builder.h"
#include "wire/message_table.h"
#include "wire/random_messages.h"

namespace muir::wire {
namespace {

TEST(FuzzMessage, SurvivesMutations) {
  std::vector<Bytes> valid;
  const auto table = message_table();
  ASSERT_LE(table.size(), 256U);  // a byte chooses one
  for (const RandomTrip& trip : random_trips()) {
    const auto info = std::find_if(table.begin(), table.end(), [&](const auto& m) { return m.name == trip.name; });
    for (const int16_t version : {trip.version_min, trip.version_max}) {
      Bytes input{static_cast<char>(info - table.begin()), static_cast<char>(version - trip.version_min)};
      RandomContents random(valid.size());
      ASSERT_TRUE(trip.run(version, random, input).ok());
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
