#include "log/flusher.h"

#include <pthread.h>

namespace muir::log {

Flusher::Flusher() : thread_([this] { run(); }) {}

Flusher::~Flusher() { stop(); }

void Flusher::request(std::shared_ptr<Partition> partition) {
  const std::lock_guard guard(mutex_);
  if (stopping_) return;
  pending_.push_back(std::move(partition));
  if (pending_.size() == 1) wake_.notify_one();
}

void Flusher::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Flusher::run() {
  pthread_setname_np(pthread_self(), "muir-flush");
  for (;;) {
    std::vector<std::shared_ptr<Partition>> round;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !pending_.empty(); });
      if (pending_.empty()) return;
      round.swap(pending_);
    }
    // The disk works on all files while the first is waited for.
    if (round.size() > 1) {
      for (const auto& partition : round) partition->begin_flush();
    }
    for (const auto& partition : round) (void)partition->flush().ok();  // the partition keeps and reports its failure
  }
}

}  // namespace muir::log
