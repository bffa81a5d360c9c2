// TimeSegments: the segments of time that a store's rows lie in, and which of them have passed. Time is the greatest
// one ever written. In memory a row has passed exactly at the retention; on disk when its whole segment has, which is
// then dropped at once. Reads are exact in both.
//
// Written by the store's owner; what others read is a hint about what there is.
#pragma once

#include <atomic>
#include <cstdint>

#include "store/internal/engine.h"
#include "store/internal/window_key.h"

namespace muir::store::internal {

// Kafka's default: half of the retention, and at least a minute.
int64_t default_segment_interval_ms(int64_t retention_ms);

class TimeSegments {
 public:
  // The rows' keys begin with append_segment().
  TimeSegments(Engine& engine, StoreKind kind, int64_t retention_ms, int64_t interval_ms)
      : engine_(engine), kind_(kind), retention_ms_(retention_ms), interval_ms_(interval_ms) {}

  // Finds what an open engine holds in that range.
  Status load(const KeyRange& within = {});
  [[nodiscard]] int64_t of(int64_t time_ms) const { return time_ms / interval_ms_; }
  // The oldest time that reads may return.
  [[nodiscard]] int64_t oldest_readable() const;
  [[nodiscard]] bool expired(int64_t time_ms) const;
  [[nodiscard]] int64_t observed_ms() const { return observed_ms_; }
  // Moves time on and drops the segments that this puts past the retention.
  Status advance(int64_t time_ms);
  void wrote(int64_t segment);

  // Segments from `first` to `last`; none when `first` is the greater one.
  struct Span {
    int64_t first = 0;
    int64_t last = -1;
  };
  [[nodiscard]] Span between(int64_t from_ms, int64_t to_ms) const;

 private:
  static constexpr int64_t kNever = -1;
  [[nodiscard]] int64_t oldest_live() const;
  Result<int64_t> edge(const KeyRange& within, Order order);

  Engine& engine_;
  const StoreKind kind_;
  const int64_t retention_ms_;
  const int64_t interval_ms_;
  std::atomic<int64_t> observed_ms_ = kNever;
  std::atomic<int64_t> first_ = kNever;
  std::atomic<int64_t> last_ = kNever;
};

}  // namespace muir::store::internal
