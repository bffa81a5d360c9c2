// WideRequests: those whose arrays have very many elements. Each element costs a hundred times its bytes and may have
// to be looked up, so they are decoded and handled on threads of their own, one after the other.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "net/event_loop.h"

namespace muir::broker {

// Thread-safe.
class WideRequests {
 public:
  // With so many elements a request is handled on the thread that read it: about a millisecond.
  static constexpr size_t kElementsAtOnce = 1000;
  // So many have a thread to themselves, which those with more do not keep waiting.
  static constexpr size_t kElementsOfFirstLane = 30'000;
  // A request with more closes its connection.
  static constexpr size_t kElementsMax = size_t{1} << 21;
  static constexpr size_t kFetchElementsMax = size_t{1} << 18;

  WideRequests();
  ~WideRequests() { stop(); }
  WideRequests(const WideRequests&) = delete;
  WideRequests& operator=(const WideRequests&) = delete;

  // Handles a request that has at most so many elements, and returns whether it has. While a copy of `turn` is kept, no
  // other one is begun on its thread.
  using Handle = std::function<bool(size_t elements_max, std::shared_ptr<void> turn)>;
  void take(Handle handle);
  // For what goes on of a request that has so many elements.
  [[nodiscard]] net::EventLoop& loop(size_t elements);
  // Drops what is not begun. Idempotent.
  void stop();

 private:
  class Lane;
  // Shared with the turns, which may end after this has.
  std::shared_ptr<Lane> first_;
  std::shared_ptr<Lane> second_;
};

}  // namespace muir::broker
