#include "apps/muir/start_guard.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace muir::app {
namespace {

// Who sent the signal waits two seconds at most.
constexpr int kInOrderMs = 1'200;
constexpr char kAtOnce[] = "muir: what was being started does not end by itself; ended at once\n";

bool readable(int fd, int timeout_ms) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) > 0;
}

}  // namespace

StartGuard::StartGuard(const StopSignal& stop)
    : stop_(stop), done_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { watch(); }) {}

StartGuard::~StartGuard() {
  stop_watching();
  ::close(done_);
}

bool StartGuard::given_up() const { return readable(stop_.fd(), 0); }

bool StartGuard::started() {
  stop_.started();
  if (given_up()) return false;  // still watched, so that the end does not take its time
  stop_watching();
  return true;
}

void StartGuard::watch() const {
  pollfd waiting[2] = {{stop_.fd(), POLLIN, 0}, {done_, POLLIN, 0}};
  while (::poll(waiting, 2, -1) <= 0) {
  }
  if (waiting[1].revents != 0 || readable(done_, kInOrderMs)) return;
  // Neither the stream's lock nor a full pipe may hold this up.
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&out, 1, 0) > 0) [[maybe_unused]]
    const ssize_t said = ::write(STDERR_FILENO, kAtOnce, sizeof kAtOnce - 1);
  ::_exit(128 + StopSignal::number());
}

void StartGuard::stop_watching() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(done_, &one, sizeof one);
  thread_.join();
}

}  // namespace muir::app
