// BlockingSocket: a TCP connection used by one thread, with a deadline for every call.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::net {

// Owned by one thread, except abort().
class BlockingSocket {
 public:
  static Result<std::unique_ptr<BlockingSocket>> connect(const std::string& host, uint16_t port, int64_t timeout_ms);
  ~BlockingSocket();
  BlockingSocket(const BlockingSocket&) = delete;
  BlockingSocket& operator=(const BlockingSocket&) = delete;

  // Deadlines are times of the steady clock in milliseconds; past them, Code::timed_out.
  Status write_all(std::span<const BytesView> parts, int64_t deadline_ms);
  // At least one byte; Code::unavailable when the peer has closed.
  Result<size_t> read_some(std::span<char> into, int64_t deadline_ms);
  // Makes a blocked and every later call fail with Code::aborted. Thread-safe.
  void abort();
  // The peer has closed, or sent something nobody asked for, while nothing was outstanding.
  [[nodiscard]] bool stale() const;
  [[nodiscard]] const std::string& peer() const { return peer_; }

 private:
  BlockingSocket(int fd, int wake_fd, std::string peer) : fd_(fd), wake_fd_(wake_fd), peer_(std::move(peer)) {}
  Status wait(short events, int64_t deadline_ms) const;

  int fd_;
  int wake_fd_;  // an eventfd, readable once abort() was called
  std::string peer_;
};

}  // namespace muir::net
