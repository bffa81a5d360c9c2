#include "testing/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

namespace muir::testing {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void run_child(const ChildOptions& options, int in, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  if (!options.stderr_file.empty()) {
    const int err = open(options.stderr_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (err >= 0) dup2(err, STDERR_FILENO);
  }
  // A listening socket of this process must not live on in the child: its port could not be opened again.
  close_range(STDERR_FILENO + 1, ~0U, 0);
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const auto& word : options.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  const std::string message = "cannot start " + options.command[0] + ": " + std::strerror(errno) + "\n";
  (void)!write(STDERR_FILENO, message.data(), message.size());
  _exit(127);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
    return error(Code::io_error, "pipe for {}: {}", options.command[0], std::strerror(errno));
  }
  const pid_t pid = fork();
  if (pid < 0) return error(Code::io_error, "fork for {}: {}", options.command[0], std::strerror(errno));
  if (pid == 0) run_child(options, in[0], out[1]);
  close(in[0]);
  close(out[1]);
  ChildProcess child;
  child.pid_ = pid;
  child.in_ = in[1];
  child.out_ = out[0];
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(in_, other.in_);
  std::swap(out_, other.out_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close_stdin();
  if (out_ >= 0) close(out_);
}

Status ChildProcess::fill(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd ready{out_, POLLIN, 0};
  if (left < 0 || poll(&ready, 1, static_cast<int>(left)) == 0) {
    return error(Code::timed_out, "nothing more from process {} in time", pid_);
  }
  char chunk[4096];
  const ssize_t n = read(out_, chunk, sizeof(chunk));
  if (n <= 0) return error(Code::aborted, "process {} closed its output", pid_);
  buffer_.append(chunk, static_cast<size_t>(n));
  return {};
}

Result<std::string> ChildProcess::read_line(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    MUIR_RETURN_IF_ERROR(fill(deadline));
  }
}

Result<std::string> ChildProcess::read_all(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    const Status more = fill(deadline);
    if (more.code() == Code::aborted) return std::exchange(buffer_, {});
    MUIR_RETURN_IF_ERROR(more);
  }
}

Status ChildProcess::write_line(const std::string& line) {
  const std::string text = line + "\n";
  if (write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return error(Code::io_error, "write to process {}: {}", pid_, std::strerror(errno));
  }
  return {};
}

void ChildProcess::close_stdin() {
  if (in_ >= 0) close(in_);
  in_ = -1;
}

void ChildProcess::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

Result<int> ChildProcess::wait(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (Clock::now() >= deadline) return error(Code::timed_out, "process {} still runs", pid_);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<std::string> run(const ChildOptions& options, std::chrono::milliseconds timeout) {
  auto child = MUIR_TRY(ChildProcess::start(options));
  child.close_stdin();
  const std::string output = MUIR_TRY(child.read_all(timeout));
  const int code = MUIR_TRY(child.wait(timeout));
  if (code != 0) return error(Code::aborted, "{} ended with {}: {}", options.command[0], code, output);
  return output;
}

}  // namespace muir::testing
