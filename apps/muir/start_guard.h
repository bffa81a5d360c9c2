// StartGuard: the first Ctrl-C or SIGTERM ends a start at once, wherever it is.
#pragma once

#include <thread>

#include "apps/muir/stop_signal.h"

namespace muir::app {

// Watches from its construction to started(). A start that is given up ends in order as far as that is soon done, and
// else without: what was acknowledged is on the disk by then.
class StartGuard {
 public:
  explicit StartGuard(const StopSignal& stop);
  ~StartGuard();
  StartGuard(const StartGuard&) = delete;
  StartGuard& operator=(const StartGuard&) = delete;

  // Whether the start is to be given up. Thread-safe.
  [[nodiscard]] bool given_up() const;
  // The start is over, and the signal the caller's business; false when it is to be given up nevertheless.
  [[nodiscard]] bool started();

 private:
  void watch() const;
  void stop_watching();

  const StopSignal& stop_;
  const int done_;  // readable when nothing is to be watched any more
  std::thread thread_;
};

}  // namespace muir::app
