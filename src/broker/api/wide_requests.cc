#include "broker/api/wide_requests.h"

#include <deque>
#include <mutex>
#include <utility>

namespace muir::broker {

// One thread, and one request at a time from its beginning until its turn ends, on whatever thread that is.
class WideRequests::Lane : public std::enable_shared_from_this<Lane> {  // turns hold it weakly
 public:
  using Work = std::function<void(std::shared_ptr<void> turn)>;

  explicit Lane(const char* name) : loop_(name, 1) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void take(Work work) {
    {
      const std::lock_guard guard(mutex_);
      if (stopped_) return;
      waiting_.push_back(std::move(work));
      if (std::exchange(busy_, true)) return;
    }
    post_next();
  }
  [[nodiscard]] net::EventLoop& loop() { return loop_; }
  void stop() {
    std::deque<Work> dropped;
    {
      const std::lock_guard guard(mutex_);
      stopped_ = true;
      dropped.swap(waiting_);
    }
    loop_.stop();
  }

 private:
  void post_next() {
    loop_.post([this] { begin_next(); });
  }
  void begin_next() {
    Work work;
    {
      const std::lock_guard guard(mutex_);
      busy_ = !waiting_.empty();
      if (!busy_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work(std::shared_ptr<void>(nullptr, [weak = weak_from_this()](void*) {
      if (const auto self = weak.lock()) self->post_next();
    }));
  }

  std::mutex mutex_;
  std::deque<Work> waiting_;
  bool busy_ = false;  // a request has its turn, or the thread is about to look for one
  bool stopped_ = false;
  net::EventLoop loop_;
};

WideRequests::WideRequests()
    : first_(std::make_shared<Lane>("muir-wide")), second_(std::make_shared<Lane>("muir-widest")) {}

void WideRequests::take(Handle handle) {
  first_->take([second = second_, handle = std::move(handle)](std::shared_ptr<void> turn) {
    if (handle(kElementsOfFirstLane, std::move(turn))) return;
    second->take([handle](std::shared_ptr<void> longer) { (void)handle(kElementsMax, std::move(longer)); });
  });
}

net::EventLoop& WideRequests::loop(size_t elements) {
  return (elements <= kElementsOfFirstLane ? first_ : second_)->loop();
}

void WideRequests::stop() {
  first_->stop();
  second_->stop();
}

}  // namespace muir::broker
