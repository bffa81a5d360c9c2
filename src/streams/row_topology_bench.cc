// What a record costs in a topology put together at run time for rows, beside the same one written for C++ structs:
// decode, filter, repartition, windowed aggregate, encode. TestDriver's own queues and copies are part of both alike.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "streams/row_topology_fixture.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace mean_speed;

void drive(benchmark::State& state, const Result<Topology>& topology) {
  MUIR_CHECK(topology.ok(), "{}", topology.status().message());
  MemoryRegistry registry;
  auto driver = *TestDriver::create(*topology, {.registry = &registry});
  auto in = *driver->input<std::string, Position>("positions");
  std::vector<Position> positions;
  for (int64_t i = 0; i < 1'000; ++i) {
    positions.push_back(
        {fmt::format("V{:04}", i), fmt::format("{}", i % 50), 52.2, 21.0, 40.0 + static_cast<double>(i % 20), 0});
  }
  int64_t i = 0;
  for (auto _ : state) {
    const Position& position = positions[static_cast<size_t>(i % 1'000)];
    MUIR_CHECK(in.pipe(position.vehicle, position, i).ok());
    ++i;
    if (i % 1'000 == 0) {
      while (driver->read("means")) continue;
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void Structs(benchmark::State& state) { drive(state, of_structs()); }
BENCHMARK(Structs)->Iterations(200'000)->Unit(benchmark::kMicrosecond);

void Rows(benchmark::State& state) { drive(state, of_rows(program())); }
BENCHMARK(Rows)->Iterations(200'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace muir::streams
