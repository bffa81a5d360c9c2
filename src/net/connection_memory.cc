#include "net/connection_memory.h"

#include <algorithm>

namespace muir::net {

// Below this much it is not worth the time to give memory back to the system.
constexpr size_t kMuchBytes = 16 * 1024 * 1024;
// What silence counts for more than slowness.
constexpr int64_t kSlowness = 32;

struct ConnectionMemory::Charged {
  Charged(std::shared_ptr<ConnectionMemory> of, std::string own) : memory(std::move(of)), text(std::move(own)) {}
  Charged(std::shared_ptr<ConnectionMemory> of, std::shared_ptr<const std::string> other)
      : memory(std::move(of)), shared(std::move(other)) {}
  ~Charged() {
    const std::lock_guard lock(memory->mutex_);
    memory->used_ -= bytes();
    memory->note();
    if (!shared) return;
    const auto it = memory->shared_.find(shared.get());
    if (it != memory->shared_.end() && it->second.expired()) memory->shared_.erase(it);
  }
  Charged(const Charged&) = delete;
  Charged& operator=(const Charged&) = delete;

  [[nodiscard]] size_t bytes() const { return shared ? shared->size() : text.size(); }

  const std::shared_ptr<ConnectionMemory> memory;
  const std::string text;
  const std::shared_ptr<const std::string> shared;
};

std::shared_ptr<ConnectionMemory> ConnectionMemory::make(size_t bytes_max, const Clock& clock) {
  return std::shared_ptr<ConnectionMemory>(new ConnectionMemory(bytes_max, clock));
}

// ---- Account

bool ConnectionMemory::Account::hold(size_t bytes, bool for_sender) {
  if (bytes <= kFreeBytes) bytes = 0;
  if (bytes == 0 && held_ == 0) return true;  // only this thread changes it
  const std::lock_guard lock(memory_->mutex_);
  if (closed_) return false;
  if (bytes < held_) {
    memory_->release(*this, held_ - bytes);
  } else if (bytes > held_) {
    if (!memory_->make_room(bytes - held_, this)) return false;
    memory_->add(bytes - held_);
  }
  held_ = bytes;
  memory_->wait_for(*this, for_sender && held_ > 0, for_reader_);
  return true;
}

void ConnectionMemory::Account::work() {
  const std::lock_guard lock(memory_->mutex_);
  unread_ = 0;
  memory_->release(*this, std::exchange(own_unread_, 0));
  memory_->wait_for(*this, false, false);
}

void ConnectionMemory::Account::read_all() {
  const std::lock_guard lock(memory_->mutex_);
  memory_->release(*this, std::exchange(own_unread_, 0));
  memory_->wait_for(*this, for_sender_, unread_ > 0);
}

void ConnectionMemory::Account::wait_for_reader(size_t bytes) {
  const std::lock_guard lock(memory_->mutex_);
  unread_ = bytes;
  if (!closed_) memory_->wait_for(*this, for_sender_, true);
}

void ConnectionMemory::Account::add_unread(size_t bytes) {
  const std::lock_guard lock(memory_->mutex_);
  if (closed_) return;
  const bool waited = waiting_;
  if (!memory_->make_room(bytes, this) && waited) memory_->shed(*this);
  memory_->add(bytes);
  own_unread_ += bytes;
  memory_->wait_for(*this, for_sender_, true);
}

void ConnectionMemory::Account::keep() {
  const std::lock_guard lock(memory_->mutex_);
  memory_->promised_ -= promised_;
  promised_ = 0;
  memory_->note();
}

void ConnectionMemory::Account::close() {
  const std::lock_guard lock(memory_->mutex_);
  if (closed_) return;
  closed_ = true;
  memory_->wait_for(*this, false, false);
  memory_->release(*this, held_ + own_unread_);
  memory_->promised_ -= promised_;
  held_ = unread_ = own_unread_ = promised_ = 0;
  memory_->note();
}

// ---- ConnectionMemory

bool ConnectionMemory::make_room(size_t bytes, Account* for_whom) {
  if (bytes > bytes_max_) return false;
  const int64_t now_ms = clock_.steady_ms();
  // Who reads its answer, or sends its request, is hardly waited for; who does it as slowly as it can, a little.
  const auto cost = [now_ms](const Account& account, size_t more) {
    const size_t its = account.held_ + account.unread_ + account.own_unread_ + more;
    const bool reads = account.unread_ + account.own_unread_ > 0;
    const int64_t last_ms = reads ? account.holder_.last_read_ms() : account.holder_.last_sent_ms();
    const int64_t silent_ms = now_ms - std::max(account.waiting_since_ms_, last_ms);
    const int64_t waited_ms = std::max<int64_t>(now_ms - account.waiting_since_ms_, 0);
    const int64_t delay_ms = std::max<int64_t>(silent_ms, 0) + waited_ms / kSlowness + 1;
    return static_cast<double>(its) * static_cast<double>(delay_ms);
  };
  while (used_ - std::min(used_, promised_) + bytes > bytes_max_) {
    Account* most = nullptr;
    double most_cost = for_whom == nullptr || !for_whom->waiting_ ? 0 : cost(*for_whom, bytes);
    for (Account* one : waiting_) {
      if (one == for_whom || cost(*one, 0) < most_cost) continue;
      most = one;
      most_cost = cost(*one, 0);
    }
    if (most == nullptr) return false;
    shed(*most);
  }
  return true;
}

void ConnectionMemory::shed(Account& account) {
  wait_for(account, false, false);
  account.promised_ = account.held_ + account.unread_ + account.own_unread_;
  promised_ += account.promised_;
  note();
  account.holder_.shed();
}

void ConnectionMemory::add(size_t bytes) {
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  recent_peak_ = std::max(recent_peak_, used_);
  note();
}

void ConnectionMemory::release(Account& account, size_t bytes) {
  used_ -= bytes;
  const size_t kept_word = std::min(bytes, account.promised_);
  account.promised_ -= kept_word;
  promised_ -= kept_word;
  note();
}

void ConnectionMemory::wait_for(Account& account, bool sender, bool reader) {
  account.for_sender_ = sender;
  account.for_reader_ = reader;
  const bool waits = (sender || reader) && account.promised_ == 0;
  if (waits == account.waiting_) return;
  account.waiting_ = waits;
  if (!waits) {
    waiting_.erase(&account);
    return;
  }
  account.waiting_since_ms_ = clock_.steady_ms();
  waiting_.insert(&account);
}

std::shared_ptr<const std::string> ConnectionMemory::charge(std::string text) {
  const auto charged = std::make_shared<Charged>(shared_from_this(), std::move(text));
  const std::lock_guard lock(mutex_);
  (void)make_room(charged->bytes(), nullptr);  // it exists already
  add(charged->bytes());
  return {charged, &charged->text};
}

std::shared_ptr<const std::string> ConnectionMemory::charge(std::shared_ptr<const std::string> text) {
  std::shared_ptr<Charged> charged;  // goes after the lock
  const std::string* const key = text.get();
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Charged>& known = shared_[key];
  charged = known.lock();
  if (!charged) {
    charged = std::make_shared<Charged>(shared_from_this(), std::move(text));
    known = charged;
    (void)make_room(charged->bytes(), nullptr);
    add(charged->bytes());
  }
  return {charged, key};
}

size_t ConnectionMemory::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

size_t ConnectionMemory::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

bool ConnectionMemory::peak_is_over() {
  const std::lock_guard lock(mutex_);
  if (recent_peak_ < kMuchBytes || used_ > recent_peak_ / 8) return false;
  recent_peak_ = used_;
  return true;
}

}  // namespace muir::net
