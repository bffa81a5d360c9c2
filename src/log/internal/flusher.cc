#include "log/internal/flusher.h"

#include <pthread.h>

#include <algorithm>

namespace muir::storage {

Flusher::Flusher() {
  threads_.emplace_back([this] { lead(); });
  for (size_t i = 1; i < kThreads; ++i) threads_.emplace_back([this] { help(); });
}

Flusher::~Flusher() { stop(); }

void Flusher::request(std::shared_ptr<Partition> partition) {
  const std::lock_guard guard(mutex_);
  if (stopping_) return;
  pending_.push_back(std::move(partition));
  if (pending_.size() == 1) requested_.notify_one();
}

void Flusher::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    requested_.notify_one();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Flusher::lead() {
  pthread_setname_np(pthread_self(), "muir-flush");
  std::unique_lock lock(mutex_);
  for (;;) {
    requested_.wait(lock, [&] { return stopping_ || !pending_.empty(); });
    if (pending_.empty()) break;
    round_.swap(pending_);
    next_ = 0;
    for (size_t helpers = std::min(round_.size(), kThreads) - 1; helpers > 0; --helpers) round_begun_.notify_one();
    work(lock);
    round_ended_.wait(lock, [&] { return running_ == 0; });
    round_.clear();
  }
  stopped_ = true;
  round_begun_.notify_all();
}

void Flusher::help() {
  pthread_setname_np(pthread_self(), "muir-flush");
  std::unique_lock lock(mutex_);
  for (;;) {
    round_begun_.wait(lock, [&] { return stopped_ || next_ < round_.size(); });
    if (stopped_) return;
    work(lock);
  }
}

void Flusher::work(std::unique_lock<std::mutex>& lock) {
  while (next_ < round_.size()) {
    const std::shared_ptr<Partition> partition = std::move(round_[next_++]);
    ++running_;
    lock.unlock();
    (void)partition->flush().ok();  // the partition keeps and reports its failure
    lock.lock();
    if (--running_ == 0) round_ended_.notify_one();
  }
}

}  // namespace muir::storage
