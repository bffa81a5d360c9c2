// WorkThreads: work that may take long or has to wait, done on threads of its own, because event loops must not.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace muir::net {

struct WorkThreadsOptions {
  std::string name = "work";  // of the threads; 13 characters at most are kept
  int threads = 1;            // one: each task begins when the one before it has ended
  size_t waiting_max = 1000;  // tasks that have not begun
};

// Thread-safe.
class WorkThreads {
 public:
  explicit WorkThreads(WorkThreadsOptions options);
  ~WorkThreads() { stop(); }
  WorkThreads(const WorkThreads&) = delete;
  WorkThreads& operator=(const WorkThreads&) = delete;

  // Tasks begin in the order of the calls. False when too many wait already, or after stop().
  [[nodiscard]] bool post(std::function<void()> task);

  [[nodiscard]] size_t waiting() const;
  [[nodiscard]] size_t running() const;

  // Drops what has not begun and waits for what has. Idempotent; not from a task.
  void stop();

 private:
  void run();

  const WorkThreadsOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace muir::net
