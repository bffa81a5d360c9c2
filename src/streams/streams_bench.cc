// Cost of one record in a task, without a cluster: ./build/bench/bin/streams_bench
#include <benchmark/benchmark.h>

#include <filesystem>

#include "streams/dsl.h"
#include "streams/internal/subtopology.h"

namespace muir::streams {
namespace {

using std::chrono_literals::operator""min;

// Takes everything and keeps nothing.
class NullSink final : public internal::RecordSink {
 public:
  Status send(std::string_view, std::optional<int32_t>, OptBytesView, OptBytesView value, int64_t, Headers) override {
    bytes += value ? value->size() : 0;
    return {};
  }
  size_t bytes = 0;
};

// A task of the topology's first subtopology.
struct Task {
  explicit Task(const Topology& topology) {
    MUIR_CHECK(::mkdtemp(folder.data()) != nullptr);
    internal::RunnerEnvironment environment{.application_id = "bench", .state_dir = folder, .sink = &sink,
                                            .clock = &system_clock()};
    runner = std::move(internal::make_runner(*topology.plan("bench"), 0, std::move(environment)).value());
    MUIR_CHECK(runner->open_stores().ok());
    MUIR_CHECK(runner->init_processors().ok());
  }
  ~Task() {
    (void)runner->close();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string folder = "/tmp/muir-streams-bench-XXXXXX";
  NullSink sink;
  std::unique_ptr<internal::SubtopologyRunner> runner;
};

void run(benchmark::State& state, Task& task, int64_t records_per_ms) {
  std::vector<Bytes> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back(fmt::format("vehicle-{:05}", i));
  Bytes value;
  serde<int64_t>::encode(42, value);
  int64_t offset = 0;
  for (auto _ : state) {
    const client::ConsumedRecord record{.offset = offset,
                                        .timestamp_ms = offset / records_per_ms,
                                        .key = BytesView(keys[static_cast<size_t>(offset % 1000)]),
                                        .value = BytesView(value)};
    MUIR_CHECK(task.runner->process("in", 0, record).ok());
    ++offset;
  }
  state.SetItemsProcessed(state.iterations());
  benchmark::DoNotOptimize(task.sink.bytes);
}

// Source, then `hops` map_values, then sink: the slope is the cost of a hop.
void StatelessHops(benchmark::State& state) {
  StreamsBuilder builder;
  auto stream = builder.stream<std::string, int64_t>("in");
  for (int64_t i = 0; i < state.range(0); ++i) stream = stream.map_values([](int64_t v) { return v + 1; });
  stream.to("out");
  Task task(*builder.build());
  run(state, task, 100);
}
BENCHMARK(StatelessHops)->Arg(0)->Arg(1)->Arg(5)->Arg(25)->ArgName("hops");


void WindowedAggregate(benchmark::State& state) {
  StreamsBuilder builder;
  builder.stream<std::string, int64_t>("in")
      .group_by_key()
      .windowed_by({.size = 5min, .grace = 1min})
      .aggregate(int64_t{0}, [](int64_t v, int64_t sum) { return sum + v; },
                 {.store = "w", .kind = state.range(0) == 0 ? StoreKind::rocksdb : StoreKind::in_memory})
      .to_stream()
      .to("out");
  Task task(*builder.build());
  run(state, task, 10);
}
BENCHMARK(WindowedAggregate)->Arg(0)->Arg(1)->ArgName("memory");

void Count(benchmark::State& state) {
  StreamsBuilder builder;
  builder.stream<std::string, int64_t>("in").group_by_key().count({.store = "c"}).to_stream().to("out");
  Task task(*builder.build());
  run(state, task, 10);
}
BENCHMARK(Count);

}  // namespace
}  // namespace muir::streams
