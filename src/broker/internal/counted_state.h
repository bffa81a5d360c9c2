// CountedState: a state whose holders are counted by state, for other threads to see.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace muir::broker {

// Of states 0 up to `n`. Thread-safe; outlives the holders.
template <class State, size_t n>
class StateCounts {
 public:
  [[nodiscard]] int64_t in(State state) const {
    return counts_[static_cast<size_t>(state)].load(std::memory_order_relaxed);
  }
  void add(State state, int64_t change) {
    counts_[static_cast<size_t>(state)].fetch_add(change, std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<int64_t>, n> counts_{};
};

// Used as the State that it holds. Of one thread at a time.
template <class State, size_t n>
class CountedState {
 public:
  CountedState(StateCounts<State, n>& counts, State first) : counts_(counts), state_(first) { counts_.add(state_, 1); }
  ~CountedState() { counts_.add(state_, -1); }
  CountedState(const CountedState&) = delete;
  CountedState& operator=(const CountedState&) = delete;
  CountedState& operator=(State next) {
    counts_.add(state_, -1);
    counts_.add(next, 1);
    state_ = next;
    return *this;
  }
  operator State() const { return state_; }  // NOLINT: implicit by design

 private:
  StateCounts<State, n>& counts_;
  State state_;
};

}  // namespace muir::broker
