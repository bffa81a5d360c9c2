#include "apps/vts/list_answers.h"

#include <algorithm>

namespace muir::vts {

ListAnswers::ListAnswers(const View& view) : view_(view), thread_([this] { run(); }) {}

ListAnswers::~ListAnswers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void ListAnswers::answer(const std::string& key, Responder responder, Make make) {
  const std::lock_guard lock(mutex_);
  const auto [it, first] = asked_.try_emplace(key);
  it->second.responders.push_back(std::move(responder));
  if (!first) return;
  it->second.make = std::move(make);
  turns_.push_back(key);
  changed_.notify_all();
}

int64_t ListAnswers::made() const {
  const std::lock_guard lock(mutex_);
  return made_;
}

void ListAnswers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !turns_.empty(); });
    if (stopping_) return;
    const std::string key = std::move(turns_.front());
    turns_.pop_front();
    Asked asked = std::move(asked_.extract(key).mapped());
    lock.unlock();
    const net::HttpResponse response = made_or_kept(key, asked.make);
    for (const Responder& responder : asked.responders) responder->respond(response);
    asked.responders.clear();
    lock.lock();
  }
}

net::HttpResponse ListAnswers::made_or_kept(const std::string& key, const Make& make) {
  const uint64_t version = view_.version();
  const auto known = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) { return one.key == key; });
  if (known != kept_.end()) {
    if (known->version == version) return known->response;
    kept_.erase(known);
  }
  net::HttpResponse response = make();
  response.shared_body = std::make_shared<const std::string>(std::exchange(response.body, {}));
  kept_.push_back({key, version, response});
  if (kept_.size() > kKept) kept_.pop_front();
  const std::lock_guard lock(mutex_);
  ++made_;
  return response;
}

}  // namespace muir::vts
