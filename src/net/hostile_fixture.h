// What the tests of hostile connections share: a server that is a process of its own, so that its memory can be told
// from its clients', and clients that send much and read nothing.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory.h"
#include "net/http_server.h"
#include "net/internal/blocking_socket.h"
#include "net/tls_fixture.h"
#include "testing/child_process.h"
#include "testing/eventually.h"
#include "testing/raw_socket.h"

namespace muir::net {

constexpr size_t kMiB = 1024 * 1024;

#ifdef MUIR_SANITIZED  // each byte takes ten times as long, and several in memory
constexpr size_t kConnections = 100;
constexpr bool kMemoryIsMeasured = false;
#else
constexpr size_t kConnections = 1000;
constexpr bool kMemoryIsMeasured = true;
#endif

inline void allow_many_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8192);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class ServerProcess {
 public:
  // `server` is a test that runs serve_until_told().
  explicit ServerProcess(const std::string& server, bool tls = false)
      : child_(std::move(*testing::ChildProcess::start(
            {.command = {"/proc/self/exe", "--gtest_filter=" + server, "--gtest_also_run_disabled_tests"},
             .environment = tls ? identity() : std::map<std::string, std::string>()}))) {
    answer("port ") >> port_;
  }
  [[nodiscard]] uint16_t port() const { return port_; }

  struct Use {
    size_t now = 0;
    size_t peak = 0;
    size_t resident = 0;
  };
  Use use() { return use("use"); }
  // When all is there that `counted` bytes are for, and nothing changes any more: it may be busy with what has come.
  // Only what is held is resident then, not what the allocator keeps for the next time.
  Use use_at_rest(size_t counted) {
    Use out = use("held");
    EXPECT_TRUE(testing::eventually([&] {
      const Use now = use("held");
      const bool still = now.now == out.now && now.resident == out.resident && now.now >= counted;
      out = now;
      return still;
    })) << "counted "
        << out.now << ", not " << counted;
    return out;
  }

  // In the server's process: tells its port, and answers each line of its standard input with what it holds; to "held"
  // it gives back first what is free.
  static void serve_until_told(uint16_t port, const std::function<HttpMemoryUse()>& use) {
    fmt::print("port {}\n", port);
    std::fflush(stdout);
    for (char line[64]; std::fgets(line, sizeof line, stdin) != nullptr;) {
      if (std::string_view(line).starts_with("held")) return_free_memory();
      const HttpMemoryUse held = use();
      fmt::print("use {} {} {}\n", held.now, held.peak, resident_bytes());
      std::fflush(stdout);
    }
  }
  // There too; null without TLS. Its handshakes have all the time they want.
  static std::shared_ptr<const TlsContext> tls() {
    const char* const chain = std::getenv("CHAIN");
    if (chain == nullptr) return nullptr;
    return server_context({.certificate_chain = {.text = chain},
                           .private_key = {.text = std::getenv("KEY")},
                           .handshake_timeout_ms = 3'600'000});
  }

 private:
  Use use(const std::string& question) {
    EXPECT_TRUE(child_.write_line(question).ok());
    Use out;
    answer("use ") >> out.now >> out.peak >> out.resident;
    return out;
  }
  static std::map<std::string, std::string> identity() {
    const TlsOptions own = server_options();
    return {{"CHAIN", own.certificate_chain.text}, {"KEY", own.private_key.text}};
  }
  std::istringstream answer(const std::string& word) {
    for (;;) {
      const auto line = child_.read_line();
      EXPECT_TRUE(line.ok()) << line.status().to_string();
      if (!line.ok()) return {};
      if (line->starts_with(word)) return std::istringstream(line->substr(word.size()));
    }
  }
  testing::ChildProcess child_;
  uint16_t port_ = 0;
};

// What one kind of hostile client sends: `head`, then `filler` again and again up to `bytes`. It reads nothing.
struct Kind {
  std::string name;
  std::string head;
  std::string filler;
  size_t bytes = 0;
};

class HostileClient {
 public:
  HostileClient(const Kind& kind, uint16_t port) : kind_(kind), socket_(port), left_(kind.head.size() + kind.bytes) {}

  [[nodiscard]] bool wants_to_send() const { return left_ > 0; }
  [[nodiscard]] int fd() const { return socket_.fd(); }
  void send_some() {
    const size_t sent = kind_.head.size() + kind_.bytes - left_;
    std::string_view part =
        sent < kind_.head.size()
            ? std::string_view(kind_.head).substr(sent)
            : std::string_view(kind_.filler).substr((sent - kind_.head.size()) % kind_.filler.size());
    part = part.substr(0, left_);
    const ssize_t n = socket_.send_some(part);
    left_ = n < 0 ? 0 : left_ - static_cast<size_t>(n);  // the server has had enough of it
  }

 private:
  const Kind& kind_;
  testing::RawSocket socket_;
  size_t left_;
};

// Sends until everything is sent, or refused, or the server takes no more.
inline void flood(const std::vector<std::unique_ptr<HostileClient>>& clients) {
  for (;;) {
    std::vector<pollfd> waiting;
    std::vector<HostileClient*> senders;
    for (const auto& client : clients) {
      if (!client->wants_to_send()) continue;
      waiting.push_back({client->fd(), POLLOUT, 0});
      senders.push_back(client.get());
    }
    if (waiting.empty() || ::poll(waiting.data(), waiting.size(), 100) == 0) return;
    for (size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) senders[i]->send_some();
    }
  }
}

// A thousand that send the same and fall silent.
class SilentClients {
 public:
  // With `handshake` they do one of TLS, and send it within.
  SilentClients(const std::string& sent, uint16_t port, bool handshake) : kind_{"", sent, "", 0} {
    const auto context = handshake ? client_context(with_trust()) : nullptr;
    for (size_t i = 0; i < kConnections; ++i) {
      if (!handshake) {
        raw_.push_back(std::make_unique<HostileClient>(kind_, port));
        continue;
      }
      auto socket = BlockingSocket::connect("localhost", port, testing::kPatienceMs, context);
      EXPECT_TRUE(socket.ok()) << socket.status().to_string();
      if (!socket.ok()) return;
      const BytesView part(sent);
      EXPECT_TRUE((*socket)->write_all({&part, 1}, system_clock().steady_ms() + testing::kPatienceMs).ok());
      shaken_.push_back(std::move(*socket));
    }
    flood(raw_);
  }

 private:
  const Kind kind_;
  std::vector<std::unique_ptr<HostileClient>> raw_;
  std::vector<std::unique_ptr<BlockingSocket>> shaken_;
};

inline void print_use(const std::string& what, const ServerProcess::Use& before, const ServerProcess::Use& now) {
  const auto more = static_cast<int64_t>(now.resident) - static_cast<int64_t>(before.resident);
  fmt::print("{}: counted {} KiB, resident {} KiB more: {} bytes for each connection beside what is counted\n", what,
             now.now / 1024, more / 1024, (more - static_cast<int64_t>(now.now)) / static_cast<int64_t>(kConnections));
}

}  // namespace muir::net
