#include "net/byte_budget.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace muir::net {

ByteBudget::Share& ByteBudget::Share::operator=(Share&& other) noexcept {
  if (this == &other) return *this;
  reset();
  budget_ = std::move(other.budget_);
  other.budget_ = nullptr;
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void ByteBudget::Share::reset() {
  const auto budget = std::exchange(budget_, nullptr);
  const size_t bytes = std::exchange(bytes_, 0);
  if (budget) budget->give_back(bytes);
}

void ByteBudget::Share::delivered() {
  if (!budget_) return;
  const std::lock_guard lock(budget_->mutex_);
  budget_->parts_[part_of(bytes_)].delivered += bytes_;
}

std::optional<int64_t> ByteBudget::Share::patience_ms(int64_t window_ms) const {
  if (!budget_) return std::nullopt;
  const std::lock_guard lock(budget_->mutex_);
  const Part& part = budget_->parts_[part_of(bytes_)];
  const size_t waiters = part.waiters();
  if (waiters == 0) return std::nullopt;
  // All who wait are through in about a window, if all who hold are silent.
  const auto patience_ms = window_ms * static_cast<int64_t>(part.holders) / static_cast<int64_t>(waiters);
  return std::clamp(patience_ms, std::min(ArrivalWatch::kWindowMinMs, window_ms), window_ms);
}

ByteBudget::Queue& ByteBudget::Part::next() {
  const bool last_first = grants % 4 == 3;
  for (size_t i = 0; i < waiting.size(); ++i) {
    Queue& queue = waiting[last_first ? waiting.size() - 1 - i : i];
    if (!queue.empty()) return queue;
  }
  return waiting[0];
}

std::shared_ptr<ByteBudget> ByteBudget::make(size_t bytes_max) {
  return std::shared_ptr<ByteBudget>(new ByteBudget(bytes_max));
}

ByteBudget::ByteBudget(size_t bytes_max) : bytes_max_(bytes_max) {
  const size_t quarter = bytes_max / 4;
  parts_[0].bytes_max = quarter;
  parts_[1].bytes_max = quarter;
  parts_[2].bytes_max = bytes_max - 2 * quarter;
}

size_t ByteBudget::part_of(size_t bytes) { return bytes <= kSmallBytes ? 0 : bytes <= kMiddleBytes ? 1 : 2; }

bool ByteBudget::has_room(const Part& part, size_t bytes) {
  return part.used == 0 || (part.used <= part.bytes_max && bytes <= part.bytes_max - part.used);
}

void ByteBudget::add(Part& part, size_t bytes) {
  part.used += bytes;
  ++part.holders;
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

std::optional<ByteBudget::Share> ByteBudget::try_take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  Part& part = parts_[part_of(bytes)];
  if (part.waiters() > 0 || !has_room(part, bytes)) return std::nullopt;
  add(part, bytes);
  return Share(shared_from_this(), bytes);
}

ByteBudget::Ticket ByteBudget::take(size_t bytes, Peer peer, Granted granted) {
  if (auto now = try_take(bytes)) {
    granted(*std::move(now));
    return 0;
  }
  std::unique_lock lock(mutex_);
  Part& part = parts_[part_of(bytes)];
  if (part.waiters() == 0 && has_room(part, bytes)) {  // given back in between
    add(part, bytes);
    lock.unlock();
    granted(Share(shared_from_this(), bytes));
    return 0;
  }
  const Ticket ticket = next_ticket_++;
  part.waiting[static_cast<size_t>(peer)].emplace(part.delivered + bytes, Waiter{ticket, std::move(granted), bytes});
  lock.unlock();
  tell_listeners();
  return ticket;
}

ByteBudget::Listening ByteBudget::when_waited_for(std::function<void()> begun) {
  auto out = std::make_shared<const std::function<void()>>(std::move(begun));
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [](const auto& weak) { return weak.expired(); });
  listeners_.push_back(out);
  return out;
}

void ByteBudget::tell_listeners() {
  std::vector<Listening> listeners;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& weak : listeners_) listeners.push_back(weak.lock());
  }
  for (const auto& one : listeners) {
    if (one) (*one)();
  }
}

bool ByteBudget::cancel(Ticket ticket) {
  Granted dropped;  // what it captured goes after the lock
  const std::lock_guard lock(mutex_);
  for (Part& part : parts_) {
    for (Queue& queue : part.waiting) {
      const auto it =
          std::find_if(queue.begin(), queue.end(), [&](const auto& one) { return one.second.ticket == ticket; });
      if (it == queue.end()) continue;
      dropped = std::move(it->second.granted);
      queue.erase(it);
      return true;
    }
  }
  return false;
}

void ByteBudget::give_back(size_t bytes) {
  std::vector<std::pair<Share, Granted>> granted;
  {
    const std::lock_guard lock(mutex_);
    Part& part = parts_[part_of(bytes)];
    part.used -= bytes;
    --part.holders;
    used_ -= bytes;
    for (Queue* queue = &part.next(); !queue->empty(); queue = &part.next()) {
      const auto first = queue->begin();
      Waiter& waiter = first->second;
      if (!has_room(part, waiter.bytes)) break;
      add(part, waiter.bytes);
      ++part.grants;
      granted.emplace_back(Share(shared_from_this(), waiter.bytes), std::move(waiter.granted));
      queue->erase(first);
    }
  }
  for (auto& [share, run] : granted) run(std::move(share));
}

size_t ByteBudget::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

size_t ByteBudget::waiting() const {
  const std::lock_guard lock(mutex_);
  size_t out = 0;
  for (const Part& part : parts_) out += part.waiters();
  return out;
}

uint64_t ByteBudget::waits() const {
  const std::lock_guard lock(mutex_);
  return next_ticket_ - 1;
}

bool ByteBudget::peak_is_over() {
  constexpr size_t kMuchBytes = 16 * 1024 * 1024;
  const std::lock_guard lock(mutex_);
  if (peak_ < kMuchBytes || used_ > peak_ / 8) return false;
  peak_ = used_;
  return true;
}

size_t ByteBudget::take_peak() {
  const std::lock_guard lock(mutex_);
  return std::exchange(peak_, used_);
}

}  // namespace muir::net
