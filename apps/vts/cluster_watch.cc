#include "apps/vts/cluster_watch.h"

#include <pthread.h>

namespace muir::vts {

void ClusterWatch::start() {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "vts-cluster");
}

void ClusterWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void ClusterWatch::heard(const Status& answer, int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  failure_ = answer;
  if (answer.ok()) {
    silent_since_ms_ = -1;
  } else if (silent_since_ms_ < 0) {
    silent_since_ms_ = now_ms;
  }
}

Status ClusterWatch::silence(int64_t now_ms) const {
  const std::lock_guard lock(mutex_);
  if (silent_since_ms_ < 0 || now_ms - silent_since_ms_ < kSilenceMs) return {};
  return failure_.annotate("the cluster does not answer");
}

void ClusterWatch::run() {
  const auto admin = client_.admin();
  const auto pause = std::chrono::milliseconds(kEveryMs);
  std::unique_lock lock(mutex_);
  while (admin.ok() && !changed_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    heard((*admin)->describe_cluster(kAnswerMs).status(), system_clock().steady_ms());
    lock.lock();
  }
}

}  // namespace muir::vts
