// BlockingSocket: a TCP connection, plain or with TLS, used by one thread, with a deadline for every call.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "net/internal/tls_session.h"

namespace muir::net {

// Owned by one thread, except abort().
class BlockingSocket {
 public:
  // With a `tls`, its handshake is done on return, in the same time. Code::permission_denied when a certificate was
  // refused: trying again does not help.
  static Result<std::unique_ptr<BlockingSocket>> connect(const std::string& host, uint16_t port, int64_t timeout_ms,
                                                         std::shared_ptr<const TlsContext> tls = nullptr);
  // Says goodbye (close_notify) when the connection is in order.
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
  [[nodiscard]] bool stale();
  // After read_some() said that the peer has closed: the connection may have been cut before the peer's last byte. Only
  // TLS can tell.
  [[nodiscard]] bool truncated() const { return truncated_; }
  [[nodiscard]] const std::string& peer() const { return peer_; }

 private:
  BlockingSocket(int fd, int wake_fd, std::string peer) : fd_(fd), wake_fd_(wake_fd), peer_(std::move(peer)) {}
  static Result<std::unique_ptr<BlockingSocket>> connect_plain(const std::string& host, uint16_t port,
                                                               int64_t deadline_ms);
  Status wait(short events, int64_t deadline_ms) const;
  Status write_plain(std::span<const BytesView> parts, int64_t deadline_ms);
  Result<size_t> read_plain(std::span<char> into, int64_t deadline_ms);
  Status shake_hands(int64_t deadline_ms);
  Status send_output(int64_t deadline_ms);
  Status receive_input(int64_t deadline_ms);

  int fd_;
  int wake_fd_;  // an eventfd, readable once abort() was called
  std::string peer_;
  std::unique_ptr<TlsSession> tls_;
  Bytes ciphertext_;  // read buffer of tls_
  Status broken_;     // why tls_ can no longer be written
  bool truncated_ = false;
  std::atomic<bool> aborted_{false};
};

}  // namespace muir::net
