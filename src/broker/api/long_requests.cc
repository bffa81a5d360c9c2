#include "broker/api/long_requests.h"

namespace muir::broker {

LongRequests::LongRequests() : loop_("muir-unpack", 1), look_ups_("muir-look-up", 1) {}

void LongRequests::take(std::unique_ptr<ProduceJob> job) {
  {
    const std::lock_guard guard(mutex_);
    waiting_.push_back(std::move(job));
  }
  loop_.post([this] {
    if (!turning_) turn();
  });
}

void LongRequests::stop() {
  loop_.stop();
  look_ups_.stop();
  running_.clear();
  stuck_.clear();
  waiting_.clear();
}

// Whose turn it is; null when there is nothing to do.
std::unique_ptr<ProduceJob> LongRequests::next() {
  if (large_ == nullptr && !stuck_.empty()) {
    stuck_.front()->allow_much_memory();
    large_ = stuck_.front().get();
    running_.push_back(std::move(stuck_.front()));
    stuck_.pop_front();
  }
  {
    const std::lock_guard guard(mutex_);
    while (!waiting_.empty() && running_.size() < kAtOnce) {
      running_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  if (running_.empty()) return nullptr;
  auto job = std::move(running_.front());
  running_.pop_front();
  return job;
}

// A slice of one request. Who is gone is not waited for: its memory would pile up with each new connection.
void LongRequests::turn() {
  auto job = next();
  turning_ = job != nullptr;
  if (!turning_) return;
  const auto state = job->abandoned() ? ProduceJob::State::done : job->run(kSliceBytes);
  if (state == ProduceJob::State::more) {
    running_.push_back(std::move(job));
  } else {
    if (large_ == job.get()) large_ = nullptr;
    job->rest();
    if (state == ProduceJob::State::stuck) stuck_.push_back(std::move(job));
  }
  job.reset();
  loop_.post([this] { turn(); });
}

}  // namespace muir::broker
