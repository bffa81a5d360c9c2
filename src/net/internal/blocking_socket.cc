#include "net/internal/blocking_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace muir::net {
namespace {

constexpr size_t kIovecMax = 64;
constexpr size_t kCiphertextBytes = 32 * 1024;

int64_t now() { return system_clock().steady_ms(); }

Status failed_connect(int failure) {
  return error(failure == ETIMEDOUT ? Code::timed_out : Code::unavailable, "{}", std::strerror(failure))
      .with(DomainCode{Domain::system, failure});
}

// Waits for a connect in progress.
Status finish_connect(int fd, int64_t deadline_ms) {
  pollfd waiting{fd, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(std::max<int64_t>(0, deadline_ms - now())));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return failed_connect(ETIMEDOUT).with_message("no answer in time");
  int failure = 0;
  socklen_t size = sizeof failure;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  return failure == 0 ? Status() : failed_connect(failure);
}

Result<int> connect_one(const addrinfo& address, int64_t deadline_ms) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return error(Code::resource_exhausted, "socket: {}", std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Status status;
  if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    status = errno == EINPROGRESS ? finish_connect(fd, deadline_ms) : failed_connect(errno);
  }
  if (status.ok()) return fd;
  ::close(fd);
  return status;
}

}  // namespace

Result<std::unique_ptr<BlockingSocket>> BlockingSocket::connect(const std::string& host, uint16_t port,
                                                                int64_t timeout_ms,
                                                                std::shared_ptr<const TlsContext> tls) {
  const int64_t deadline_ms = now() + timeout_ms;
  auto socket = MUIR_TRY(connect_plain(host, port, deadline_ms));
  if (!tls) return socket;
  socket->tls_ = std::make_unique<TlsSession>(std::move(tls), host);
  const Status status = socket->shake_hands(std::min(deadline_ms, now() + socket->tls_->handshake_timeout_ms()));
  if (!status.ok()) return status.annotate(fmt::format("TLS handshake with {}", socket->peer_));
  return socket;
}

Result<std::unique_ptr<BlockingSocket>> BlockingSocket::connect_plain(const std::string& host, uint16_t port,
                                                                      int64_t deadline_ms) {
  const std::string peer = fmt::format("{}:{}", host, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); rc != 0) {
    return error(Code::unavailable, "connect to {}: {}", peer, ::gai_strerror(rc))
        .with(DomainCode{Domain::system, EHOSTUNREACH});
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  Status last = error(Code::unavailable, "no address");
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const Result<int> fd = connect_one(*address, deadline_ms);
    if (!fd.ok()) {
      last = fd.status();
      continue;
    }
    const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) {
      ::close(*fd);
      return error(Code::resource_exhausted, "connect to {}: eventfd: {}", peer, std::strerror(errno));
    }
    return std::unique_ptr<BlockingSocket>(new BlockingSocket(*fd, wake, peer));
  }
  return last.annotate(fmt::format("connect to {}", peer));
}

BlockingSocket::~BlockingSocket() {
  if (tls_ && broken_.ok()) {
    tls_->close();
    const Bytes goodbye = tls_->take_output();
    [[maybe_unused]] const ssize_t sent = ::send(fd_, goodbye.data(), goodbye.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ::close(fd_);
  ::close(wake_fd_);
}

Status BlockingSocket::wait(short events, int64_t deadline_ms) const {
  for (;;) {
    pollfd waiting[2] = {{fd_, events, 0}, {wake_fd_, POLLIN, 0}};
    const int64_t left = std::clamp<int64_t>(deadline_ms - now(), 0, 1'000'000'000);
    const int ready = ::poll(waiting, 2, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return error(Code::io_error, "poll {}: {}", peer_, std::strerror(errno));
    if (waiting[1].revents != 0) return error(Code::aborted, "connection to {}: aborted", peer_);
    if (waiting[0].revents != 0) return {};
    if (left == 0) return error(Code::timed_out, "connection to {}: no answer in time", peer_);
  }
}

Status BlockingSocket::write_plain(std::span<const BytesView> parts, int64_t deadline_ms) {
  size_t index = 0;
  size_t written = 0;  // of parts[index]
  for (;;) {
    while (index < parts.size() && written == parts[index].size()) {
      ++index;
      written = 0;
    }
    if (index == parts.size()) return {};
    std::array<iovec, kIovecMax> vectors;
    size_t count = 0;
    for (; count < kIovecMax && index + count < parts.size(); ++count) {
      const BytesView part = count == 0 ? parts[index].substr(written) : parts[index + count];
      vectors[count] = {const_cast<char*>(part.data()), part.size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      MUIR_RETURN_IF_ERROR(wait(POLLOUT, deadline_ms));
      continue;
    }
    if (n < 0) return error(Code::unavailable, "write to {}: {}", peer_, std::strerror(errno));
    auto left = static_cast<size_t>(n);
    while (left > 0) {
      const size_t step = std::min(left, parts[index].size() - written);
      written += step;
      left -= step;
      if (written == parts[index].size()) {
        ++index;
        written = 0;
      }
    }
    if (index == parts.size()) return {};
  }
}

Result<size_t> BlockingSocket::read_plain(std::span<char> into, int64_t deadline_ms) {
  for (;;) {
    MUIR_RETURN_IF_ERROR(wait(POLLIN, deadline_ms));
    const ssize_t n = ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
    if (n > 0) return static_cast<size_t>(n);
    if (n == 0) return error(Code::unavailable, "read from {}: the peer closed the connection", peer_);
    if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) continue;
    return error(Code::unavailable, "read from {}: {}", peer_, std::strerror(errno));
  }
}

// Encrypted bytes that were not sent cannot be taken back: the records after them would not be understood.
Status BlockingSocket::send_output(int64_t deadline_ms) {
  const Bytes output = tls_->take_output();
  const BytesView part = output;
  Status status = write_plain(std::span(&part, 1), deadline_ms);
  if (!status.ok()) broken_ = status;
  return status;
}

Status BlockingSocket::receive_input(int64_t deadline_ms) {
  ciphertext_.resize(kCiphertextBytes);
  const size_t n = MUIR_TRY(read_plain(ciphertext_, deadline_ms));
  tls_->feed({ciphertext_.data(), n});
  return {};
}

Status BlockingSocket::shake_hands(int64_t deadline_ms) {
  for (;;) {
    const Result<bool> done = tls_->handshake();
    const Status sent = send_output(deadline_ms);
    if (!done.ok()) return broken_ = done.status();
    if (*done) return sent;
    const Status more = sent.ok() ? receive_input(deadline_ms) : sent;
    if (more.ok()) continue;
    broken_ = more;
    if (more.code() == Code::unavailable) return more.annotate("the connection ended; does this port speak TLS?");
    if (more.code() == Code::timed_out) return more.annotate("does this port speak TLS?");
    return more;
  }
}

Status BlockingSocket::write_all(std::span<const BytesView> parts, int64_t deadline_ms) {
  if (!tls_) return write_plain(parts, deadline_ms);
  MUIR_RETURN_IF_ERROR(broken_);
  const Status encrypted = tls_->write(parts);
  if (!encrypted.ok()) return broken_ = encrypted.annotate(fmt::format("write to {}", peer_));
  return send_output(deadline_ms);
}

Result<size_t> BlockingSocket::read_some(std::span<char> into, int64_t deadline_ms) {
  if (!tls_) return read_plain(into, deadline_ms);
  for (;;) {
    if (aborted_) return error(Code::aborted, "connection to {}: aborted", peer_);
    const Result<size_t> n = tls_->read(into);
    if (!n.ok() && !tls_->closed()) broken_ = n.status();
    // Answers to what was read (key updates, alerts). Where they cannot leave, reading is as good as before.
    if (broken_.ok()) (void)send_output(deadline_ms);
    if (!n.ok()) return n.status().annotate(fmt::format("read from {}", peer_));
    if (*n > 0) return n;
    const Status more = receive_input(deadline_ms);
    truncated_ = more.code() == Code::unavailable;
    if (!more.ok()) return more;
  }
}

void BlockingSocket::abort() {
  aborted_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

bool BlockingSocket::stale() {
  pollfd waiting{fd_, POLLIN, 0};
  if (!tls_) return ::poll(&waiting, 1, 0) != 0;
  // Records that hold nothing for the user, such as session tickets, may have come.
  char byte = 0;
  const Result<size_t> n = read_some(std::span(&byte, 1), 0);
  return n.ok() || n.status().code() != Code::timed_out;
}

}  // namespace muir::net
