#include "apps/muir/say.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace muir::app {
namespace {

bool no_output = false;  // standard output was closed from the beginning

// 0, or why not all of it was written.
int write_to(FILE* stream, std::string_view text) {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
  const int failure = errno;
  std::clearerr(stream);
  return whole ? 0 : failure == 0 ? EIO : failure;
}

}  // namespace

void keep_standard_streams() {
  ::signal(SIGPIPE, SIG_IGN);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    no_output |= fd == STDOUT_FILENO;
    // The lowest free number is this one.
    if (::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) < 0) ::_exit(1);
  }
}

void write_out(std::string_view text) { write_to(stdout, text); }
void write_err(std::string_view text) { write_to(stderr, text); }

Status answer(std::string_view text) {
  const int failure = no_output ? EBADF : write_to(stdout, text);
  if (failure == 0) return {};
  return error(Code::io_error, "standard output: {}", std::strerror(failure));
}

}  // namespace muir::app
