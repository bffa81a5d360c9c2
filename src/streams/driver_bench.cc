// What a record costs in a topology with windows and range reads, driven without a cluster: decode, stores, changelog,
// forward. TestDriver's own queues and copies are part of each figure alike.
#include <algorithm>

#include <benchmark/benchmark.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using Text = std::string;
using namespace std::chrono_literals;
constexpr int64_t kKeys = 1'000;
constexpr int64_t kEventsPerSecond = 1'000;

template <class T>
T must(Result<T> result) {
  MUIR_CHECK(result.ok(), "{}", result.status().message());
  return *std::move(result);
}

// Feeds records of all keys in turn, at kEventsPerSecond of the records' time.
void drive(benchmark::State& state, const StreamsBuilder& builder, Text value = Text(100, 'x')) {
  auto driver = must(TestDriver::create(must(builder.build())));
  std::vector<Text> keys;
  for (int64_t i = 0; i < kKeys; ++i) keys.push_back(fmt::format("vehicle-{:06}", i * 7919 % kKeys));
  int64_t i = 0;
  RawRecord record{.value = std::move(value)};
  for (auto _ : state) {
    record.key = keys[static_cast<size_t>(i % kKeys)];
    record.timestamp_ms = i * 1'000 / kEventsPerSecond;
    MUIR_CHECK(driver->pipe("in", record).ok());
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}

void Count(benchmark::State& state) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().count({.store = "counts"}).to_stream().to("out");
  drive(state, builder);
}
BENCHMARK(Count)->Iterations(200'000)->Unit(benchmark::kMicrosecond);

void HoppingWindows(benchmark::State& state) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by({.size = 1min, .advance = 30s, .grace = 30s})
      .count({.store = "counts"})
      .to_stream()
      .to("out");
  drive(state, builder);
}
BENCHMARK(HoppingWindows)->Iterations(200'000)->Unit(benchmark::kMicrosecond);

// What a join of two streams does for each record: reads the other records of its key in a range of time, keeps it.
class Window final : public FixedKeyProcessor<Text, Text, int64_t> {
 public:
  Status init(Context& context) override {
    store_ = MUIR_TRY((context.window_store<Text, Text>("history")));
    return {};
  }
  Status process(const Record<Text, Text>& record) override {
    int64_t met = 0;
    MUIR_RETURN_IF_ERROR(store_.fetch(*record.key, std::max<int64_t>(0, record.timestamp_ms - 10'000),
                                      record.timestamp_ms, [&](const streams::Window&, const Text&) { ++met; }));
    MUIR_RETURN_IF_ERROR(store_.put(*record.key, *record.value, record.timestamp_ms));
    return context().forward({record.key, &met, record.timestamp_ms});
  }

 private:
  WindowStore<Text, Text> store_;
};

void WindowFetch(benchmark::State& state) {
  StreamsBuilder builder;
  builder.add_state_store(WindowStoreBuilder<Text, Text>{.name = "history", .window_size = 10s, .retention = 2min});
  builder.stream<Text, Text>("in")
      .process_values([] { return std::make_unique<Window>(); }, {.stores = {"history"}})
      .to("out");
  drive(state, builder);
}
BENCHMARK(WindowFetch)->Iterations(200'000)->Unit(benchmark::kMicrosecond);

// Reads the rows of its key's prefix, about ten of them, and writes one: what joins by foreign key and buffers do.
class Prefix final : public FixedKeyProcessor<Text, Text, int64_t> {
 public:
  Status init(Context& context) override {
    store_ = MUIR_TRY((context.key_value_store<Text, Text>("rows")));
    return {};
  }
  Status process(const Record<Text, Text>& record) override {
    int64_t met = 0;
    MUIR_RETURN_IF_ERROR(store_.range(*record.key + "/", *record.key + "/~", [&](const Text&, const Text&) { ++met; }));
    MUIR_RETURN_IF_ERROR(
        store_.put(fmt::format("{}/{}", *record.key, record.timestamp_ms / 1'000 % 10), *record.value));
    return context().forward({record.key, &met, record.timestamp_ms});
  }

 private:
  KeyValueStore<Text, Text> store_;
};

void RangeRead(benchmark::State& state) {
  StreamsBuilder builder;
  builder.add_state_store(KeyValueStoreBuilder<Text, Text>{.name = "rows"});
  builder.stream<Text, Text>("in")
      .process_values([] { return std::make_unique<Prefix>(); }, {.stores = {"rows"}})
      .to("out");
  drive(state, builder);
}
BENCHMARK(RangeRead)->Iterations(200'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace muir::streams
