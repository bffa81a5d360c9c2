// BrokerMetrics: what the broker counts of its clients' requests, and what is read off it when metrics are collected.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "base/metrics.h"
#include "broker/groups/group_state.h"
#include "broker/internal/counted_state.h"
#include "wire/error_code.h"

namespace muir::broker {

struct BrokerContext;

// Thread-safe. Outlives the sessions.
class BrokerMetrics {
 public:
  // Of the requests of one API.
  class Api {
   public:
    Api(Counter& requests, Histogram& seconds) : requests_(requests), seconds_(seconds) {}
    void received() { requests_.add(); }
    // Its answer leaves; Produce with acks=0 has none, and has then been handled.
    void answered(int64_t took_us) { seconds_.observe_us(took_us); }
    // The answer holds this code; one answer may hold several.
    void failed(wire::ErrorCode code) { errors_[place_of(code)].fetch_add(1, std::memory_order_relaxed); }

   private:
    friend class BrokerMetrics;
    static constexpr size_t kCodes = 160;  // from -1 on; Kafka 4.3 ends at 133
    static size_t place_of(wire::ErrorCode code) {
      const auto at = static_cast<size_t>(static_cast<int16_t>(code) + 1);
      return at < kCodes ? at : 0;
    }
    Counter& requests_;
    Histogram& seconds_;
    std::array<std::atomic<uint32_t>, kCodes> errors_{};
  };

  explicit BrokerMetrics(MetricsRegistry* registry);

  // Null for what is not served.
  [[nodiscard]] Api* api(int16_t key) {
    return key >= 0 && static_cast<size_t>(key) < apis_.size() ? apis_[static_cast<size_t>(key)].get() : nullptr;
  }
  void received(size_t bytes) { received_bytes_.add(bytes); }
  void sent(size_t bytes) { sent_bytes_.add(bytes); }
  // A connection ends because of what it sent.
  void refused_request() { refused_requests_.add(); }

 private:
  void collect(MetricSink& sink) const;

  std::vector<std::unique_ptr<Api>> apis_;  // by key
  MetricsGroup group_;                      // its callback reads the above
  Counter& received_bytes_;
  Counter& sent_bytes_;
  Counter& refused_requests_;
};

// Topics, partitions, groups, fetch sessions and the budget of requests, as long as the result lives.
std::unique_ptr<MetricsGroup> watch_broker(const BrokerContext& context);

}  // namespace muir::broker
