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
std::atomic<int> last_number{0};

constexpr char kGivesUp[] = "muir: the start is given up\n";

// Only what is allowed in a signal handler.
extern "C" void on_signal(int number) {
  if (signals_seen.fetch_add(1) > 0) ::_exit(128 + number);
  last_number = number;
  const int saved = errno;
  if (starting) [[maybe_unused]]
    const ssize_t said = ::write(STDERR_FILENO, kGivesUp, sizeof kGivesUp - 1);
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
  // The terminal is closed. nohup has it ignored, and so it stays.
  struct sigaction before {};
  if (::sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
}

void StopSignal::started() const { starting = false; }

void StopSignal::wait() const {
  pollfd waiting{wake_fd, POLLIN, 0};
  while (::poll(&waiting, 1, -1) <= 0) {
  }
}

int StopSignal::fd() const { return wake_fd; }

int StopSignal::number() { return last_number; }

}  // namespace muir::app
