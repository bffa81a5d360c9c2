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

bool ByteBudget::Share::wanted_by_others() const {
  if (!budget_) return false;
  const std::lock_guard lock(budget_->mutex_);
  return !budget_->parts_[part_of(bytes_)].waiting.empty();
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
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

std::optional<ByteBudget::Share> ByteBudget::try_take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  Part& part = parts_[part_of(bytes)];
  if (!part.waiting.empty() || !has_room(part, bytes)) return std::nullopt;
  add(part, bytes);
  return Share(shared_from_this(), bytes);
}

ByteBudget::Ticket ByteBudget::take(size_t bytes, Granted granted) {
  if (auto now = try_take(bytes)) {
    granted(*std::move(now));
    return 0;
  }
  std::unique_lock lock(mutex_);
  Part& part = parts_[part_of(bytes)];
  if (part.waiting.empty() && has_room(part, bytes)) {  // given back in between
    add(part, bytes);
    lock.unlock();
    granted(Share(shared_from_this(), bytes));
    return 0;
  }
  const Ticket ticket = next_ticket_++;
  part.waiting.emplace(bytes, Waiter{ticket, std::move(granted)});
  return ticket;
}

bool ByteBudget::cancel(Ticket ticket) {
  Granted dropped;  // what it captured goes after the lock
  const std::lock_guard lock(mutex_);
  for (Part& part : parts_) {
    for (auto it = part.waiting.begin(); it != part.waiting.end(); ++it) {
      if (it->second.ticket != ticket) continue;
      dropped = std::move(it->second.granted);
      part.waiting.erase(it);
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
    used_ -= bytes;
    while (!part.waiting.empty() && has_room(part, part.waiting.begin()->first)) {
      const auto first = part.waiting.begin();
      add(part, first->first);
      granted.emplace_back(Share(shared_from_this(), first->first), std::move(first->second.granted));
      part.waiting.erase(first);
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
  for (const Part& part : parts_) out += part.waiting.size();
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
