// A disk that takes its time over one thing, as clients of the others see it: no network thread waits for it, and what
// does not need it is answered.
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "broker/internal/core_fixture.h"
#include "wire/batch_builder.h"
#include "wire/messages/create_partitions.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/delete_records.h"
#include "wire/messages/delete_topics.h"
#include "wire/messages/incremental_alter_configs.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/produce.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;

// The first sync from now on takes until release().
class HeldSync {
 public:
  explicit HeldSync(FaultEnv& env) : env_(env) {
    env_.when_syncing([this] { hold(); });
  }
  ~HeldSync() {
    release();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ == 0; });
    lock.unlock();
    env_.when_syncing(nullptr);
  }
  HeldSync(const HeldSync&) = delete;
  HeldSync& operator=(const HeldSync&) = delete;

  [[nodiscard]] bool has_begun() {
    const std::unique_lock lock(mutex_);
    return begun_;
  }
  void release() {
    const std::unique_lock lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

 private:
  void hold() {
    std::unique_lock lock(mutex_);
    if (std::exchange(begun_, true)) return;
    ++inside_;
    changed_.wait(lock, [&] { return released_; });
    --inside_;
    changed_.notify_all();
  }

  FaultEnv& env_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool begun_ = false;
  bool released_ = false;
  int inside_ = 0;
};

class SlowDiskOfABroker : public CoreFixture {
 protected:
  // Whoever calls it is a network thread: it must come back.
  template <class Request>
  std::future<Bytes> send(const Request& request, int16_t version) {
    Bytes frame;
    wire::encode_request(request, version, 1, "test", frame);
    const auto slot = std::make_shared<KeptReply>();
    auto answer = slot->answer.get_future();
    auto sent = std::async(std::launch::async, [this, slot, frame] {
      static const Listener listener;
      constexpr size_t kLengthBytes = 4;
      EXPECT_TRUE(dispatch(core_->context(), listener, "127.0.0.1:1", frame.substr(kLengthBytes), slot).ok());
    });
    if (sent.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << Request::kName << " holds its network thread";
      if (held_) held_->release();
    }
    return answer;
  }
  wire::ProduceRequest produce(int32_t partition, int16_t acks) const {
    wire::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = static_cast<int32_t>(testing::kPatienceMs);
    auto& to = request.topic_data.emplace_back();
    to.name = "t";
    to.partition_data.push_back({partition, batch_, {}});
    return request;
  }
  static bool is_answered(std::future<Bytes>& answer) {
    return answer.wait_for(kPatience) == std::future_status::ready;
  }

  static constexpr std::chrono::milliseconds kPatience{testing::kPatienceMs};
  const Bytes batch_ = [] {
    wire::BatchBuilder builder;
    builder.add(1000, "k", Bytes(1000, 'v'));
    return builder.build();
  }();
  std::unique_ptr<HeldSync> held_;
};

TEST_F(SlowDiskOfABroker, IsWaitedForByNoNetworkThreadAndByNobodyElse) {
  struct Row {
    const char* what;
    std::function<std::future<Bytes>()> begin;
  };
  const Row rows[]{
      {"records are made durable", [this] { return send(produce(0, -1), 9); }},
      {"records are deleted",
       [this] {
         wire::DeleteRecordsRequest request;
         request.topics.push_back({"t", {{0, -1, {}}}, {}});
         return send(request, 2);
       }},
      {"a topic is made",
       [this] {
         wire::CreateTopicsRequest request;
         request.topics.push_back({"another", 3, 1, {}, {}, {}});
         return send(request, 7);
       }},
      {"a topic is given more partitions",
       [this] {
         wire::CreatePartitionsRequest request;
         request.topics.push_back({"another", 5, {}, {}});
         return send(request, 3);
       }},
      {"a topic is given another configuration",
       [this] {
         wire::IncrementalAlterConfigsRequest request;
         auto& resource = request.resources.emplace_back();
         resource.resource_type = 2;
         resource.resource_name = "another";
         resource.configs.push_back({"retention.ms", 0, "1234", {}});
         return send(request, 1);
       }},
      {"a topic is deleted",
       [this] {
         wire::DeleteTopicsRequest request;
         request.topics.push_back({"another", {}, {}});
         return send(request, 6);
       }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    held_ = std::make_unique<HeldSync>(env_);
    auto slow = row.begin();
    ASSERT_TRUE(testing::eventually([&] { return held_->has_begun(); }));
    wire::ListOffsetsRequest list;
    list.topics.push_back({"t", {{1, -1, -1, {}}}, {}});
    std::pair<const char*, std::future<Bytes>> others[]{
        {"a record of the same partition", send(produce(0, 1), 9)},
        {"a record of another one", send(produce(1, 1), 9)},
        {"where another one ends", send(list, 7)},
    };
    for (auto& [name, answer] : others) EXPECT_TRUE(is_answered(answer)) << name;
    held_->release();
    EXPECT_TRUE(is_answered(slow));
    held_.reset();
  }
}

}  // namespace
}  // namespace muir::broker
