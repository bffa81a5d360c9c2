#include "net/work_threads.h"

#include <fmt/core.h>
#include <pthread.h>

#include <exception>
#include <utility>

#include "base/log.h"

namespace muir::net {

WorkThreads::WorkThreads(WorkThreadsOptions options) : options_(std::move(options)) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] { run(); });
    pthread_setname_np(threads_.back().native_handle(), fmt::format("{}-{}", options_.name.substr(0, 13), i).c_str());
  }
}

bool WorkThreads::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || tasks_.size() >= options_.waiting_max) return false;
  tasks_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

size_t WorkThreads::waiting() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

size_t WorkThreads::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void WorkThreads::stop() {
  std::deque<std::function<void()>> dropped;  // destroyed without the lock: what they hold may answer
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(tasks_);
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkThreads::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    ++running_;
    lock.unlock();
    try {
      task();
    } catch (const std::exception& e) {
      log::error("{}: a task threw: {}", options_.name, e.what());
    }
    task = nullptr;
    lock.lock();
    --running_;
  }
}

}  // namespace muir::net
