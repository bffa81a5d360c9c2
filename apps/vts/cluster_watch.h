// ClusterWatch: whether the cluster answers. Clients try on in silence when it does not, and with nothing to write
// nobody else would notice.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/status.h"
#include "client/client.h"

namespace muir::vts {

// Thread-safe.
class ClusterWatch {
 public:
  static constexpr int64_t kEveryMs = 2'000;
  static constexpr int64_t kAnswerMs = 1'500;
  static constexpr int64_t kSilenceMs = 10'000;  // brokers that restart are nothing to speak of

  // `client` outlives it.
  explicit ClusterWatch(client::Client& client) : client_(client) {}
  ~ClusterWatch() { stop(); }
  ClusterWatch(const ClusterWatch&) = delete;
  ClusterWatch& operator=(const ClusterWatch&) = delete;

  void start();
  void stop();
  // Takes what the cluster has said, or not, at `now_ms` (steady).
  void heard(const Status& answer, int64_t now_ms);
  // Why it has not answered for kSilenceMs; OK otherwise.
  [[nodiscard]] Status silence(int64_t now_ms) const;

 private:
  void run();

  client::Client& client_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  Status failure_{};
  int64_t silent_since_ms_ = -1;  // -1: it answers
  std::thread thread_;
};

}  // namespace muir::vts
