// Records per second through the Avro and JSON serdes of a small struct of five fields.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "serde/serde.h"
#include "serde/test_types.h"

namespace muir {
namespace {

fleet::Position a_position() { return {"V1234", 52.2297, 21.0122, 36.5F, 1'767'268'800'000}; }

struct Fixture {
  MemoryRegistry registry;
  SerdeRef<fleet::Position> serde;
  Bytes bytes;

  explicit Fixture(SerdeRef<fleet::Position> made) : serde(std::move(made)) {
    CHECK(serde.configure({&registry}, false).ok());
    CHECK(serde.serialize("positions", a_position(), bytes).ok());
  }
};

void encode(benchmark::State& state, SerdeRef<fleet::Position> serde) {
  Fixture fixture(std::move(serde));
  const auto position = a_position();
  for (auto _ : state) {
    fixture.bytes.clear();
    benchmark::DoNotOptimize(fixture.serde.serialize("positions", position, fixture.bytes).ok());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(fixture.bytes.size()));
}

void decode(benchmark::State& state, SerdeRef<fleet::Position> serde) {
  Fixture fixture(std::move(serde));
  fleet::Position position;
  for (auto _ : state) {
    benchmark::DoNotOptimize(fixture.serde.erased()->deserialize("positions", fixture.bytes, &position).ok());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(fixture.bytes.size()));
}

BENCHMARK_CAPTURE(encode, avro, avro<fleet::Position>());
BENCHMARK_CAPTURE(decode, avro, avro<fleet::Position>());
BENCHMARK_CAPTURE(encode, json, json<fleet::Position>());
BENCHMARK_CAPTURE(decode, json, json<fleet::Position>());

}  // namespace
}  // namespace muir
