// Cost of one operation on a store: ./build/bench/bin/store_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>

#include "store/key_value_store.h"
#include "store/window_store.h"

namespace muir::store {
namespace {

constexpr int kKeys = 10'000;

// A folder of its own, removed at the end.
struct Folder {
  Folder() { MUIR_CHECK(::mkdtemp(path.data()) != nullptr, "cannot make {}", path); }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path = "/tmp/muir-store-bench-XXXXXX";
};

std::vector<Bytes> keys() {
  std::vector<Bytes> out;
  for (int i = 0; i < kKeys; ++i) out.push_back(fmt::format("vehicle-{:08}", i * 7919 % kKeys));
  return out;
}

StoreKind kind_of(const benchmark::State& state) {
  return state.range(0) == 0 ? StoreKind::rocksdb : StoreKind::in_memory;
}

void KeyValuePut(benchmark::State& state) {
  const Folder folder;
  auto store = make_key_value_store({.name = "s", .kind = kind_of(state)});
  MUIR_CHECK(store->open(folder.path + "/s").ok());
  const auto all = keys();
  const Bytes value(100, 'v');
  size_t i = 0;
  for (auto _ : state) {
    MUIR_CHECK(store->put(all[i % kKeys], value, static_cast<int64_t>(i)).ok());
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(KeyValuePut)->Arg(0)->Arg(1)->ArgName("memory");

// What an aggregation does for each record.
void KeyValueGetThenPut(benchmark::State& state) {
  const Folder folder;
  auto store = make_key_value_store({.name = "s", .kind = kind_of(state)});
  MUIR_CHECK(store->open(folder.path + "/s").ok());
  const auto all = keys();
  const Bytes value(100, 'v');
  ValueAndTimestamp row;
  size_t i = 0;
  for (auto _ : state) {
    const auto& key = all[i % kKeys];
    benchmark::DoNotOptimize(*store->get(key, row));
    MUIR_CHECK(store->put(key, value, static_cast<int64_t>(i)).ok());
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(KeyValueGetThenPut)->Arg(0)->Arg(1)->ArgName("memory");

void KeyValueGetFromFiles(benchmark::State& state) {
  const Folder folder;
  auto store = make_key_value_store({.name = "s"});
  MUIR_CHECK(store->open(folder.path + "/s").ok());
  const auto all = keys();
  for (const auto& key : all) MUIR_CHECK(store->put(key, Bytes(100, 'v'), 1).ok());
  MUIR_CHECK(store->sync().ok());
  ValueAndTimestamp row;
  size_t i = 0;
  for (auto _ : state) MUIR_CHECK(*store->get(all[i++ % kKeys], row));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(KeyValueGetFromFiles);

void WindowFetchThenPut(benchmark::State& state) {
  const Folder folder;
  auto store =
      make_window_store({.name = "w", .kind = kind_of(state), .window_size_ms = 300'000, .retention_ms = 360'000});
  MUIR_CHECK(store->open(folder.path + "/w").ok());
  const auto all = keys();
  const Bytes value(16, 'v');
  ValueAndTimestamp row;
  int64_t i = 0;
  for (auto _ : state) {
    const auto& key = all[static_cast<size_t>(i % kKeys)];
    const int64_t start_ms = i / 10 / 300'000 * 300'000;
    benchmark::DoNotOptimize(*store->fetch(key, start_ms, row));
    MUIR_CHECK(store->put(key, value, start_ms, start_ms).ok());
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WindowFetchThenPut)->Arg(0)->Arg(1)->ArgName("memory");

// Ten rows of a prefix, and a write between two such reads.
void KeyValuePrefixThenPut(benchmark::State& state) {
  const Folder folder;
  auto store = make_key_value_store({.name = "s", .kind = kind_of(state)});
  MUIR_CHECK(store->open(folder.path + "/s").ok());
  const auto all = keys();
  const Bytes value(100, 'v');
  for (const auto& key : all) MUIR_CHECK(store->put(key, value, 1).ok());
  MUIR_CHECK(store->sync().ok());
  size_t i = 0;
  for (auto _ : state) {
    const auto& key = all[i++ % kKeys];
    const auto rows = *store->prefix_scan(BytesView(key).substr(0, key.size() - 1));
    int count = 0;
    while (rows->next()) ++count;
    MUIR_CHECK(count == 10);
    MUIR_CHECK(store->put(key, value, static_cast<int64_t>(i)).ok());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(KeyValuePrefixThenPut)->Arg(0)->Arg(1)->ArgName("memory");

// What a join of two streams does for each record.
void WindowRangeThenPut(benchmark::State& state) {
  const Folder folder;
  auto store =
      make_window_store({.name = "w", .kind = kind_of(state), .window_size_ms = 10'000, .retention_ms = 120'000});
  MUIR_CHECK(store->open(folder.path + "/w").ok());
  const auto all = keys();
  const Bytes value(100, 'v');
  int64_t i = 0;
  int64_t count = 0;
  for (auto _ : state) {
    const auto& key = all[static_cast<size_t>(i % 1'000)];
    const auto rows = *store->fetch(key, std::max<int64_t>(0, i - 10'000), i);
    while (rows->next()) ++count;
    MUIR_CHECK(store->put(key, value, i, i).ok());
    ++i;
  }
  benchmark::DoNotOptimize(count);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WindowRangeThenPut)->Arg(0)->Arg(1)->ArgName("memory");

}  // namespace
}  // namespace muir::store
