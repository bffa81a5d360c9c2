// TopicFollower: a thread that reads topics from their beginning, or their last records, and goes on as they grow.
// Reads what is committed. No group: every instance sees everything.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "client/client.h"

namespace muir::vts {

struct FollowedTopic {
  std::string name;
  int64_t tail = -1;  // start so many records before the end of each partition; -1: at the beginning
};

class TopicFollower {
 public:
  // Called on the follower's thread, partition by partition in offset order.
  using OnRecords = std::function<void(const client::PartitionRecords&)>;

  // `client` outlives the follower. The topics exist.
  // `on_caught_up` is called once on the follower's thread, when what was there at the start has been read.
  TopicFollower(client::Client& client, std::vector<FollowedTopic> topics, OnRecords on_records,
                std::function<void()> on_caught_up = nullptr);
  ~TopicFollower();  // stops
  TopicFollower(const TopicFollower&) = delete;
  TopicFollower& operator=(const TopicFollower&) = delete;

  void start();
  // True when everything that was there at the start has been read. Thread-safe.
  bool wait_caught_up(int64_t timeout_ms);
  [[nodiscard]] bool caught_up() const { return caught_up_; }
  // Of the last attempt to read; OK while it goes well. Thread-safe.
  [[nodiscard]] Status failure();
  // Calls `done` when the record at `offset` has been handed out (at once when it was), or after `timeout_ms` without
  // it; from the caller's or the follower's thread. Not called when the follower stops before.
  void call_when_read(const client::TopicPartition& partition, Offset offset, int64_t timeout_ms,
                      std::function<void()> done);
  // Idempotent.
  void stop();

 private:
  void run();
  // Reads until stop() or an error.
  Status follow();
  Status open();
  Status check_caught_up();
  void wait_before_retry();
  // Those that have been read up to, or have waited long enough.
  void call_waiting();

  client::Client& client_;
  const std::vector<FollowedTopic> topics_;
  const OnRecords on_records_;
  const std::function<void()> on_caught_up_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> caught_up_{false};
  struct Waiting {
    client::TopicPartition partition;
    Offset offset;
    int64_t deadline_ms;  // steady
    std::function<void()> done;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<client::TopicPartition, Offset> read_;  // the offset after the last record that was handed out
  std::vector<Waiting> waiting_;
  Status failure_;

  // Of the thread.
  std::unique_ptr<client::Consumer> consumer_;
  std::map<client::TopicPartition, Offset> ends_;  // still to be reached
  std::map<client::TopicPartition, Offset> next_;  // where to go on after an error
  std::mutex consumer_mutex_;                      // consumer_ against wakeup() in stop()
};

}  // namespace muir::vts
