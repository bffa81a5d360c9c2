#include <benchmark/benchmark.h>

#include "base/check.h"
#include "wire/batch_builder.h"
#include "wire/crc32c.h"
#include "wire/messages/fetch.h"
#include "wire/messages/produce.h"
#include "wire/record_walk.h"

namespace muir::wire {
namespace {

constexpr int kRecords = 1000;

Bytes batch_of(Compression codec, int records = kRecords) {
  BatchBuilder builder({.compression = codec});
  for (int i = 0; i < records; ++i) {
    builder.add(1700000000000 + i, fmt::format("vehicle-{}", i % 100),
                fmt::format("{{\"lat\":47.{},\"lon\":8.{},\"speed\":{}}}", 10000 + i, 50000 + i, i % 130));
  }
  Bytes out;
  CHECK(builder.build(out).ok());
  return out;
}

void crc_of_a_megabyte(benchmark::State& state) {
  const Bytes data(size_t{1} << 20, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(data));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(data.size()));
}
BENCHMARK(crc_of_a_megabyte);

void iterate_a_batch(benchmark::State& state) {
  const Bytes batch = batch_of(static_cast<Compression>(state.range(0)));
  RecordIterator records;
  for (auto _ : state) {
    const auto view = BatchView::parse(batch);
    CHECK(records.reset(*view).ok());
    Record record;
    int count = 0;
    while (records.next(record)) ++count;
    CHECK(count == kRecords, "{} records", count);
  }
  state.SetItemsProcessed(state.iterations() * kRecords);
  state.SetLabel(std::string(name_of(static_cast<Compression>(state.range(0)))));
}
BENCHMARK(iterate_a_batch)->DenseRange(0, 4);

// What a broker does with a producer's batch.
void validate_a_batch(benchmark::State& state) {
  const Bytes batch = batch_of(static_cast<Compression>(state.range(0)), static_cast<int>(state.range(1)));
  RecordWalk walk;
  for (auto _ : state) {
    const auto view = BatchView::parse(batch);
    CHECK(validate_produced_batch(*view, walk).ok());
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
  state.SetLabel(std::string(name_of(static_cast<Compression>(state.range(0)))));
}
BENCHMARK(validate_a_batch)->ArgsProduct({{0, 1, 2, 3, 4}, {10, 1000, 20'000}});

void build_a_batch(benchmark::State& state) {
  BatchBuilder builder({.compression = static_cast<Compression>(state.range(0))});
  const Bytes value(100, 'v');
  Bytes out;
  for (auto _ : state) {
    for (int i = 0; i < kRecords; ++i) builder.add(i, "vehicle-17", value);
    out.clear();
    CHECK(builder.build(out).ok());
  }
  state.SetItemsProcessed(state.iterations() * kRecords);
  state.SetLabel(std::string(name_of(static_cast<Compression>(state.range(0)))));
}
BENCHMARK(build_a_batch)->DenseRange(0, 4);

void decode_a_produce_request(benchmark::State& state) {
  const Bytes batch = batch_of(Compression::none);
  Bytes bytes;
  ByteWriter writer(bytes);
  encode(ProduceRequest{.acks = -1, .topic_data = {{.name = "positions", .partition_data = {{.records = batch}}}}}, 9,
         writer);
  for (auto _ : state) {
    ByteReader reader(bytes);
    ProduceRequest request;
    CHECK(decode(reader, 9, request).ok());
    benchmark::DoNotOptimize(request);
  }
}
BENCHMARK(decode_a_produce_request);

}  // namespace
}  // namespace muir::wire
