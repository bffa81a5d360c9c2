// Reachability: when to tell people that no broker of a cluster can be reached, and that one can again. Clients try on
// without end, as Kafka's do; who waits for one should know why. Owned by one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace muir::client::internal {

class Reachability {
 public:
  static constexpr int64_t kSayAfterMs = 1'500;  // a broker that is just starting is nothing to speak of
  static constexpr int64_t kAgainAfterMs = 30'000;
  // A first connection that hangs is given up so soon, so that it can be spoken of; later ones have their full time.
  static constexpr int64_t kFirstConnectMs = 2'000;

  // `servers` is what the user wrote, bootstrap.servers.
  explicit Reachability(std::string servers) : servers_(std::move(servers)) {}

  // An attempt that began at `began_ms` has failed with all brokers; the sentence that is due, or nothing.
  std::string failed(const Status& cause, int64_t began_ms, int64_t now_ms) {
    if (failing_since_ms_ < 0) failing_since_ms_ = began_ms;
    const bool due =
        said_at_ms_ < 0 ? now_ms - failing_since_ms_ >= kSayAfterMs : now_ms - said_at_ms_ >= kAgainAfterMs;
    if (!due) return {};
    said_at_ms_ = now_ms;
    return fmt::format("no broker of bootstrap.servers={} can be reached for {} ms, trying again: {}", servers_,
                       now_ms - failing_since_ms_, cause.message());
  }
  std::string reached() {
    failing_since_ms_ = -1;
    if (said_at_ms_ < 0) return {};
    said_at_ms_ = -1;
    return fmt::format("a broker of bootstrap.servers={} is reached again", servers_);
  }
  [[nodiscard]] bool failing() const { return failing_since_ms_ >= 0; }

 private:
  const std::string servers_;
  int64_t failing_since_ms_ = -1;
  int64_t said_at_ms_ = -1;
};

}  // namespace muir::client::internal
