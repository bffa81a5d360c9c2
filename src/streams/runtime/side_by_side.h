// side_by_side(): work that waits for the disk, on some threads at once. A file system commits its journal once for all
// who wait at the same time, so that a thousand small files are synced in little more time than a hundred.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace muir::streams::internal {

// Calls work(0) ... work(count - 1), each once, on this and up to `helpers_max` more threads; returns when all are
// done. Without helpers they are called in order.
template <class Work>
void side_by_side(size_t helpers_max, size_t count, Work&& work) {
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < count && helpers.size() < helpers_max; ++i) helpers.emplace_back(run);
  run();
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace muir::streams::internal
