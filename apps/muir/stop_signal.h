// StopSignal: Ctrl-C and SIGTERM. The first asks for an orderly end, the second ends the process at once.
#pragma once

namespace muir::app {

// Installs the handlers; to be made once, before other threads.
class StopSignal {
 public:
  StopSignal();
  // From here on the first signal is heard at once; before, it says on standard error that it waits for the start.
  void started() const;
  // Waits for the first signal.
  void wait() const;
  // A file descriptor that is readable from the first signal on.
  [[nodiscard]] int fd() const;
};

}  // namespace muir::app
