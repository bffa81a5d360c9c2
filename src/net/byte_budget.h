// ByteBudget: how many bytes all connections of a server, or of several servers, may hold together.
//
// A receiver takes a share before it reads what its peer has announced, and gives it back when the bytes are gone; who
// finds no room waits. So that large requests cannot keep small ones out, the budget is divided by size: a quarter for
// shares up to kSmallBytes, a quarter for those up to kMiddleBytes, a half for larger ones. A share larger than its
// part is given while that part holds nothing else.
//
// Of those that wait, peers that have delivered before are first, and among equals the smaller one, unless it came
// later by as many delivered bytes as it is smaller: nobody waits for ever. One in four grants goes to those that are
// last by that order of peers. Holders whose bytes do not come are given up, the sooner the more there are that wait
// (ArrivalWatch).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace muir::net {

// Thread-safe. Shared by the servers that draw on it and by the shares, which may outlive them.
class ByteBudget : public std::enable_shared_from_this<ByteBudget> {
 public:
  static constexpr size_t kSmallBytes = 64 * 1024;
  static constexpr size_t kMiddleBytes = 2 * 1024 * 1024;
  static constexpr size_t kUnlimited = SIZE_MAX;

  // What one holder has taken; gives itself back. Of one thread at a time.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept;
    ~Share() { reset(); }
    void reset();
    [[nodiscard]] size_t bytes() const { return bytes_; }
    [[nodiscard]] explicit operator bool() const { return budget_ != nullptr; }
    // What it was taken for has come, all of it.
    void delivered();
    // For how long its peer may be silent: `window_ms` for one that waits for the same part of the budget for each that
    // holds some of it, the less the more there are. Nothing when nobody waits.
    [[nodiscard]] std::optional<int64_t> patience_ms(int64_t window_ms) const;

   private:
    friend class ByteBudget;
    Share(std::shared_ptr<ByteBudget> budget, size_t bytes) : budget_(std::move(budget)), bytes_(bytes) {}
    std::shared_ptr<ByteBudget> budget_;
    size_t bytes_ = 0;
  };

  // What is known of a peer that asks for a share.
  enum class Peer : unsigned char { delivered_much, delivered, unknown };

  static std::shared_ptr<ByteBudget> make(size_t bytes_max);

  // Takes `bytes` now, or not at all.
  std::optional<Share> try_take(size_t bytes);
  // Takes `bytes` when there is room. `granted` runs once, on the thread that made the room, or before the return; it
  // must not block. Returns 0 when it has run, else what cancel() takes.
  using Ticket = uint64_t;
  using Granted = std::function<void(Share)>;
  Ticket take(size_t bytes, Peer peer, Granted granted);
  // True when `granted` will not run any more.
  bool cancel(Ticket ticket);

  // `begun` runs when somebody has to wait, on their thread; until the result is gone.
  using Listening = std::shared_ptr<const std::function<void()>>;
  [[nodiscard]] Listening when_waited_for(std::function<void()> begun);

  [[nodiscard]] size_t bytes_max() const { return bytes_max_; }
  [[nodiscard]] size_t used() const;
  [[nodiscard]] size_t waiting() const;
  // How often somebody had to wait.
  [[nodiscard]] uint64_t waits() const;
  // The most that was in use at a time since the last call.
  size_t take_peak();
  // True once after much of the budget was in use and little is: time for return_free_memory() (base/memory.h). Asked
  // from time to time.
  bool peak_is_over();

 private:
  struct Waiter {
    Ticket ticket;
    Granted granted;
    size_t bytes;
  };
  using Queue = std::multimap<size_t, Waiter>;  // equal ones in order of their coming
  struct Part {
    size_t bytes_max = 0;
    size_t used = 0;
    size_t holders = 0;
    size_t delivered = 0;          // bytes, ever
    std::array<Queue, 3> waiting;  // by Peer; in each by the size added to what was delivered before
    unsigned grants = 0;
    [[nodiscard]] size_t waiters() const { return waiting[0].size() + waiting[1].size() + waiting[2].size(); }
    // Not empty, unless all are.
    [[nodiscard]] Queue& next();
  };

  explicit ByteBudget(size_t bytes_max);
  static size_t part_of(size_t bytes);
  // Under mutex_.
  [[nodiscard]] static bool has_room(const Part& part, size_t bytes);
  void add(Part& part, size_t bytes);
  void give_back(size_t bytes);
  void tell_listeners();

  const size_t bytes_max_;
  mutable std::mutex mutex_;
  std::array<Part, 3> parts_;
  size_t used_ = 0;
  size_t peak_ = 0;
  Ticket next_ticket_ = 1;
  std::vector<std::weak_ptr<const std::function<void()>>> listeners_;
};

// Decides whether a sender that others wait for may keep its share while its bytes arrive: it must not be silent for as
// long as others' patience is, and in that time at least kBytesPerSecond must come. Of one thread at a time.
class ArrivalWatch {
 public:
  static constexpr int64_t kWindowMs = 2000;
  static constexpr int64_t kWindowMinMs = 100;
  static constexpr size_t kBytesPerSecond = 32 * 1024;

  void begin(int64_t now_ms) {
    since_ms_ = now_ms;
    arrived_before_ = 0;
  }
  // `arrived`: bytes since begin(), the last of them at `last_ms`. Asked again and again, at any times.
  [[nodiscard]] bool stalled(int64_t now_ms, int64_t patience_ms, size_t arrived, int64_t last_ms) {
    if (now_ms - std::max(last_ms, since_ms_) >= patience_ms) return true;
    if (now_ms - since_ms_ < patience_ms) return false;
    if (arrived - arrived_before_ < kBytesPerSecond * static_cast<size_t>(patience_ms) / 1000) return true;
    since_ms_ = now_ms;
    arrived_before_ = arrived;
    return false;
  }

 private:
  int64_t since_ms_ = 0;
  size_t arrived_before_ = 0;
};

}  // namespace muir::net
