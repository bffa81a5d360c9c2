// StopSignal: Ctrl-C, SIGTERM and SIGHUP. The first asks for an orderly end, the second ends the process at once.
#pragma once

namespace muir::app {

// Installs the handlers; to be made once, before other threads.
class StopSignal {
 public:
  StopSignal();
  // Before, the first signal says on standard error that the start is given up (start_guard.h).
  void started() const;
  // Waits for the first signal.
  void wait() const;
  // A file descriptor that is readable from the first signal on.
  [[nodiscard]] int fd() const;
  // Of the last signal; 0 before.
  [[nodiscard]] static int number();
};

}  // namespace muir::app
