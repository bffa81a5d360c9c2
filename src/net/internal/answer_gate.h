// AnswerGate: whether a server still takes answers, of which some come from threads that outlive it.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace muir::net {

// Thread-safe. Shared by a server and the responders of its requests.
class AnswerGate {
 public:
  // While it is held, the server and its loop are there; false when they may be gone.
  class Passage {
   public:
    explicit Passage(AnswerGate& gate) : lock_(gate.mutex_), open_(gate.open_) {}
    explicit operator bool() const { return open_; }

   private:
    std::shared_lock<std::shared_mutex> lock_;
    const bool open_;
  };

  // Waits for those who are inside. The connections have ended, so that no one inside waits for the caller.
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }

 private:
  std::shared_mutex mutex_;
  bool open_ = true;
};

}  // namespace muir::net
