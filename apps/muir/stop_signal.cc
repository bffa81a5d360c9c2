#include "apps/muir/stop_signal.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace muir::app {
namespace {

std::atomic<int> wake_fd{-1};
std::atomic<int> signals_seen{0};
std::atomic<bool> starting{true};

constexpr char kWaits[] = "muir: ending as soon as the start has come to its end; once more ends it at once\n";

// Only what is allowed in a signal handler.
extern "C" void on_signal(int number) {
  if (signals_seen.fetch_add(1) > 0) ::_exit(128 + number);
  const int saved = errno;
  if (starting) [[maybe_unused]]
    const ssize_t said = ::write(STDERR_FILENO, kWaits, sizeof kWaits - 1);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd, &one, sizeof one);
  errno = saved;
}

}  // namespace

StopSignal::StopSignal() {
  wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

void StopSignal::started() const { starting = false; }

void StopSignal::wait() const {
  pollfd waiting{wake_fd, POLLIN, 0};
  while (::poll(&waiting, 1, -1) <= 0) {
  }
}

int StopSignal::fd() const { return wake_fd; }

}  // namespace muir::app
