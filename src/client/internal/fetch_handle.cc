#include "client/internal/fetch_handle.h"

#include <librdkafka/rdkafka.h>

#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "client/internal/rdkafka_status.h"

namespace muir::client::internal {
namespace {

constexpr int kLeadersTimeoutMs = 2'000;
constexpr int kEndMs = 5'000;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

List list_of(const std::vector<TopicPartition>& partitions) {
  List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& one : partitions)
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition.value());
  return list;
}

int64_t rdkafka_offset(Offset offset) {
  if (offset == kOffsetEarliest) return RD_KAFKA_OFFSET_BEGINNING;
  if (offset == kOffsetLatest) return RD_KAFKA_OFFSET_END;
  return offset.value();
}

// librdkafka 2.0 does not come to an end when a topic that was assigned has been deleted: the thread of its broker
// waits for a partition that is no more. Who closes a consumer does not wait with it.
void destroy(rd_kafka_t* rk) {
  struct Ended {
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
  };
  const auto state = std::make_shared<Ended>();  // shared with the thread, which may outlive the call
  const std::string name = rd_kafka_name(rk);
  const auto end = [rk, state] {
    // No group to leave: closing would only wait for the coordinator.
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    const std::lock_guard lock(state->mutex);
    state->ended = true;
    state->changed.notify_all();
  };
  try {
    std::thread(end).detach();
  } catch (const std::system_error&) {
    end();  // no thread is left: then it is waited for
  }
  std::unique_lock lock(state->mutex);
  if (state->changed.wait_for(lock, std::chrono::milliseconds(kEndMs), [&] { return state->ended; })) return;
  log::warn(
      "{}: its threads have not ended within {} ms, as happens when one of its topics was deleted; they are left alone",
      name, kEndMs);
}

size_t number_in(const rd_kafka_conf_t* conf, const char* key) {
  std::array<char, 32> text{};
  size_t size = text.size();
  size_t number = 0;
  const auto found = rd_kafka_conf_get(conf, key, text.data(), &size);
  CHECK(found == RD_KAFKA_CONF_OK && size > 0, "librdkafka has no {}", key);
  std::from_chars(text.data(), text.data() + size - 1, number);
  return number;
}

}  // namespace

Result<FetchShare> FetchHandle::configured_share(const Properties& properties) {
  const Conf conf = MUIR_TRY(make_conf(Role::consumer, properties));
  return FetchShare{.messages = number_in(conf.get(), "queued.min.messages"),
                    .kbytes = number_in(conf.get(), "queued.max.messages.kbytes"),
                    .fetch_bytes = number_in(conf.get(), "max.partition.fetch.bytes"),
                    .answer_bytes = number_in(conf.get(), "fetch.max.bytes")};
}

Result<SharedHandle> FetchHandle::make(const Properties& properties, const FetchShare& share) {
  Conf conf = MUIR_TRY(make_conf(Role::consumer, properties));
  const std::pair<const char*, size_t> limits[] = {{"queued.min.messages", share.messages},
                                                   {"queued.max.messages.kbytes", share.kbytes},
                                                   {"max.partition.fetch.bytes", share.fetch_bytes},
                                                   {"fetch.max.bytes", share.answer_bytes}};
  std::array<char, 512> reason{};
  for (const auto& [key, value] : limits) {
    if (rd_kafka_conf_set(conf.get(), key, std::to_string(value).c_str(), reason.data(), reason.size()) !=
        RD_KAFKA_CONF_OK) {
      return error(Code::invalid_argument, "consumer: {}: {}", key, reason.data());
    }
  }
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason.data(), reason.size());
  if (rk == nullptr) return error(Code::invalid_argument, "consumer: {}", reason.data());
  (void)conf.release();  // rd_kafka_new() took it over
  rd_kafka_poll_set_consumer(rk);
  return SharedHandle(new FetchHandle(rk, share));
}

FetchHandle::FetchHandle(rd_kafka_s* rk, const FetchShare& share)
    : rk_(rk), events_(rd_kafka_queue_get_consumer(rk)), share_(share) {}

FetchHandle::~FetchHandle() {
  rd_kafka_queue_destroy(events_);
  destroy(rk_);
}

// librdkafka looks for leaders of topics it has just met only once a second: it is made to ask now. When the cluster
// does not answer it goes on trying by itself.
void FetchHandle::learn_leaders(const std::vector<PartitionStart>& starts) {
  bool any_new = false;
  for (const PartitionStart& start : starts) any_new |= topics_.insert(start.partition.topic).second;
  if (!any_new) return;
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto err = rd_kafka_metadata(rk_, 0, nullptr, &metadata, kLeadersTimeoutMs);
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
  } else {
    log::debug("{}: leaders of the assigned topics: {}", rd_kafka_name(rk_), rd_kafka_err2str(err));
  }
}

Status FetchHandle::assign(const std::vector<PartitionStart>& starts) {
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(starts.size())));
  for (const auto& [one, offset] : starts) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition.value())->offset =
        rdkafka_offset(offset);
  }
  learn_leaders(starts);
  return take_error(rk_, rd_kafka_incremental_assign(rk_, list.get()), "assign");
}

Status FetchHandle::unassign(const std::vector<TopicPartition>& partitions) {
  return take_error(rk_, rd_kafka_incremental_unassign(rk_, list_of(partitions).get()), "unassign");
}

void FetchHandle::hold(const std::vector<TopicPartition>& partitions) {
  if (!partitions.empty()) (void)rd_kafka_pause_partitions(rk_, list_of(partitions).get());
}

void FetchHandle::release(const std::vector<TopicPartition>& partitions) {
  if (!partitions.empty()) (void)rd_kafka_resume_partitions(rk_, list_of(partitions).get());
}

void FetchHandle::retire() { (void)rd_kafka_assign(rk_, nullptr); }

// librdkafka looks again at a partition whose queue was full when something wakes the thread of its broker, at the
// latest after a second. Of all its calls this one does that and nothing else: there is no SASL here whose credentials
// it could change.
void FetchHandle::report_room() {
  if (rd_kafka_error_t* refused = rd_kafka_sasl_set_credentials(rk_, "", "")) rd_kafka_error_destroy(refused);
}

}  // namespace muir::client::internal
