// Appending to and reading from a partition on the machine's own disk.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "log/admission.h"
#include "log/log_manager.h"
#include "wire/batch_builder.h"

namespace muir::storage {
namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "muir-log-bench-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<LogManager> open_log(const Folder& folder, bool sync) {
  LogOptions options;
  options.folder = folder.path();
  options.sync_before_confirm = sync;
  auto logs = LogManager::open(options);
  CHECK(logs.ok() && (*logs)->create_topic("t", 1, {}).ok());
  return *std::move(logs);
}

Bytes batch_of(int64_t records, size_t value_bytes) {
  wire::BatchBuilder builder;
  const std::string value(value_bytes, 'x');
  for (int64_t i = 0; i < records; ++i) builder.add(i, "key", value);
  return builder.build();
}

// A batch through admission and append, without waiting for the disk.
void BM_Append(benchmark::State& state) {
  const Folder folder;
  const auto logs = open_log(folder, false);
  const auto partition = logs->find_partition("t", PartitionId(0));
  const Bytes batch = batch_of(state.range(0), 100);
  wire::RecordWalk scratch;
  for (auto _ : state) {
    AdmissionNotes notes;
    const auto admitted = admit(batch, *partition->config(), 1000, scratch, notes);
    CHECK(admitted.ok() && partition->append(admitted->batch).ok());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}
BENCHMARK(BM_Append)->Arg(1)->Arg(100)->Arg(8000);

// Appends by one caller that waits for each: the latency of acks=all without a network.
void BM_AppendAndWait(benchmark::State& state) {
  const Folder folder;
  const auto logs = open_log(folder, true);
  const auto partition = logs->find_partition("t", PartitionId(0));
  const Bytes batch = batch_of(100, 100);
  const auto view = wire::BatchView::parse(batch);
  for (auto _ : state) {
    std::atomic<bool> done = false;
    CHECK(partition
              ->append(*view,
                       [&](const Status&) {
                         done = true;
                         done.notify_one();
                       })
              .ok());
    done.wait(false);
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(BM_AppendAndWait)->UseRealTime();

// The append that ends a segment of so many MiB: what its thread is kept by, without the disk.
void BM_Roll(benchmark::State& state) {
  const Folder folder;
  const auto logs = open_log(folder, false);
  const Properties settings{{"segment.bytes", std::to_string(state.range(0) << 20)}};
  CHECK(logs->create_topic("rolled", 1, settings).ok());
  const auto partition = logs->find_partition("rolled", PartitionId(0));
  const Bytes batch = batch_of(100, 100);
  const auto view = wire::BatchView::parse(batch);
  for (auto _ : state) {
    std::chrono::duration<double> took{};
    for (const size_t segments = partition->size().segments; partition->size().segments == segments;) {
      const auto began = std::chrono::steady_clock::now();
      CHECK(partition->append(*view).ok());
      took = std::chrono::steady_clock::now() - began;
    }
    state.SetIterationTime(took.count());
  }
}
BENCHMARK(BM_Roll)->Arg(1)->Arg(64)->Arg(512)->Iterations(4)->UseManualTime();

void BM_Read(benchmark::State& state) {
  const Folder folder;
  const auto logs = open_log(folder, false);
  const auto partition = logs->find_partition("t", PartitionId(0));
  const Bytes batch = batch_of(100, 100);
  const auto view = wire::BatchView::parse(batch);
  for (int i = 0; i < 5000; ++i) CHECK(partition->append(*view).ok());
  Offset offset;
  int64_t bytes = 0;
  for (auto _ : state) {
    const auto result = partition->read({offset, static_cast<size_t>(state.range(0)), true, {}});
    CHECK(result.ok());
    bytes += static_cast<int64_t>(result->records.size());
    offset += static_cast<int64_t>(result->records.size() / batch.size() * 100);
    if (offset >= Offset(500'000)) offset = {};
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Read)->Arg(16 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace muir::storage
