// Flusher: group commit. One thread that makes appended records durable for all partitions.
//
// While one round of fsyncs runs, further appends gather; the next round covers them all. So the number of fsyncs
// depends on the disk, not on the number of requests. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "log/partition.h"

namespace muir::log {

class Flusher {
 public:
  Flusher();
  // Finishes what was requested, then ends.
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  // Flushes `partition` in the next round.
  void request(std::shared_ptr<Partition> partition);
  // Finishes what was requested; later requests are ignored.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<Partition>> pending_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace muir::log
