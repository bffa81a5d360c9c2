#include "streams/runtime/thread_replacements.h"

#include <algorithm>

namespace muir::streams::internal {

int64_t ThreadReplacements::failed(int index, const Status& failure, int64_t now_ms) {
  Thread& thread = threads_[index];
  thread.in_a_row = thread.stable(now_ms) ? 1 : thread.in_a_row + 1;
  thread.failure = failure;
  thread.running_since_ms = -1;
  retried_.erase(index);
  ++total_;
  int64_t wait_ms = kFirstWaitMs;
  for (int i = 1; i < thread.in_a_row && wait_ms < kWaitMaxMs; ++i) wait_ms *= 2;
  return std::min(wait_ms, kWaitMaxMs);
}

void ThreadReplacements::set_running(int index, bool running, int64_t now_ms) {
  const auto it = threads_.find(index);
  if (it == threads_.end()) return;
  Thread& thread = it->second;
  if (!running) {
    // A rebalance is no failure: what was stable stays so.
    if (!thread.stable(now_ms)) thread.running_since_ms = -1;
  } else if (thread.running_since_ms < 0) {
    thread.running_since_ms = now_ms;
  }
}

void ThreadReplacements::set_retried(int index, const Status& failure, int64_t now_ms) {
  if (failure.ok()) {
    retried_.erase(index);
  } else {
    retried_.try_emplace(index, Retried{failure, now_ms});
  }
}

int ThreadReplacements::in_a_row(int index) const {
  const auto it = threads_.find(index);
  return it == threads_.end() ? 0 : it->second.in_a_row;
}

int ThreadReplacements::failing(int64_t now_ms) const {
  const auto failed =
      std::count_if(threads_.begin(), threads_.end(), [now_ms](const auto& t) { return !t.second.stable(now_ms); });
  const auto retried = std::count_if(retried_.begin(), retried_.end(), [&](const auto& r) {
    const auto it = threads_.find(r.first);
    return r.second.lasts(now_ms) && (it == threads_.end() || it->second.stable(now_ms));
  });
  return static_cast<int>(failed + retried);
}

Status ThreadReplacements::failure(int64_t now_ms) const {
  for (const auto& [index, thread] : threads_) {
    if (!thread.stable(now_ms)) return thread.failure;
  }
  for (const auto& [index, retried] : retried_) {
    if (retried.lasts(now_ms)) return retried.failure;
  }
  return {};
}

}  // namespace muir::streams::internal
