// ChildProcess: a real program that a test starts, talks to and stops. It is killed with the test. Owned by one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "testing/eventually.h"

namespace muir::testing {

struct ChildOptions {
  std::vector<std::string> command;                  // command[0] is looked up in PATH
  std::map<std::string, std::string> environment{};  // added to this process's
  std::string stderr_file{};                         // appended to; empty: this process's stderr
};

class ChildProcess {
 public:
  static Result<ChildProcess> start(const ChildOptions& options);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // SIGKILL, and waits

  // One line of the child's standard output, without its end.
  Result<std::string> read_line(std::chrono::milliseconds timeout = kPatience);
  Status write_line(const std::string& line);
  void close_stdin();
  void signal(int number);
  // Exit code, or 128 + signal; Code::timed_out while it runs.
  Result<int> wait(std::chrono::milliseconds timeout = kPatience);
  // Everything the child still writes to standard output until it closes it.
  Result<std::string> read_all(std::chrono::milliseconds timeout = kPatience);
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  ChildProcess() = default;
  Status fill(std::chrono::steady_clock::time_point deadline);  // reads once more; Code::aborted at the end

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string buffer_;
};

// Runs a program to its end and returns what it printed; an exit code other than 0 is an error with the output.
Result<std::string> run(const ChildOptions& options, std::chrono::milliseconds timeout = kPatience);

}  // namespace muir::testing
