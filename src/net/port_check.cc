#include "net/port_check.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace muir::net {

Status port_in_use(const std::string& host, uint16_t port) {
  return error(Code::already_exists, "listen on {}:{}: the port is in use by another program", host, port)
      .with(DomainCode{Domain::system, EADDRINUSE});
}

Status check_port(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(list, [](addrinfo* one) {
    if (one != nullptr) ::freeaddrinfo(one);
  });
  if (failure != 0 || !found)
    return error(Code::invalid_argument, "listen on {}:{}: {}", host, port, ::gai_strerror(failure));
  // As the listener does: of a name's addresses the first of IPv4, if there is one.
  const addrinfo* chosen = found.get();
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET) continue;
    chosen = one;
    break;
  }
  const int fd = ::socket(chosen->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return error(Code::io_error, "listen on {}:{}: {}", host, port, std::strerror(errno));
  // With the listener's option: connections that linger from before do not count, another listener does.
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int bound = ::bind(fd, chosen->ai_addr, chosen->ai_addrlen) == 0 ? 0 : errno;
  ::close(fd);
  if (bound == 0) return {};
  if (bound == EADDRINUSE) return port_in_use(host, port);
  return error(bound == EADDRNOTAVAIL ? Code::invalid_argument : Code::io_error, "listen on {}:{}: {}", host, port,
               std::strerror(bound));
}

Status wait_for_port(const std::string& host, uint16_t port, const std::function<bool()>& again) {
  Status free = check_port(host, port);
  while (free.code() == Code::already_exists && again()) free = check_port(host, port);
  return free;
}

}  // namespace muir::net
