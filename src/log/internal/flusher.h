// Flusher: group commit. Makes appended records durable for all partitions.
//
// While one round of fsyncs runs, further appends gather; the next round covers them all. So the number of fsyncs
// depends on the disk, not on the number of requests. The files of a round are synced side by side, because a
// file system commits its journal once for all who wait at the same time. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "log/partition.h"

namespace muir::storage {

class Flusher {
 public:
  // Threads that wait for the disk side by side.
  static constexpr size_t kThreads = 8;

  Flusher();
  // Finishes what was requested, then ends.
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  // Flushes `partition` in the next round. One partition is flushed by one thread at a time.
  void request(std::shared_ptr<Partition> partition);
  // Finishes what was requested; later requests are ignored. Idempotent.
  void stop();

 private:
  using Partitions = std::vector<std::shared_ptr<Partition>>;

  void lead();
  void help();
  // Flushes partitions of the round until none is left; `lock` is held on entry and exit.
  void work(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable requested_;    // for the leader: there is a round to begin
  std::condition_variable round_begun_;  // for the helpers
  std::condition_variable round_ended_;  // for the leader
  Partitions pending_;
  Partitions round_;
  size_t next_ = 0;     // of round_, not yet taken
  size_t running_ = 0;  // taken and not yet done
  bool stopping_ = false;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace muir::storage
