#include "broker/api/committed_records.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include "log/kafka_error.h"

namespace muir::broker {
namespace {

struct Waiting {
  explicit Waiting(std::function<void(const Status&)> to_call) : then(std::move(to_call)) {}

  void finish_one(const Status& status) {
    {
      const std::lock_guard guard(mutex);
      // A topic that is deleted meanwhile takes its records with it.
      if (storage::kafka_code(status) == wire::ErrorCode::kafka_storage_error) failure = status;
      if (--left > 0) return;
    }
    then(failure);
  }

  std::mutex mutex;
  size_t left = 1;  // one for the registration itself
  Status failure;
  std::function<void(const Status&)> then;
};

}  // namespace

void when_records_durable(BrokerContext& context, const std::vector<CommittedPosition>& positions,
                          std::function<void(const Status&)> then) {
  if (!context.settings.flush_acks) return then({});
  const auto waiting = std::make_shared<Waiting>(std::move(then));  // shared by the partitions' callbacks
  for (const CommittedPosition& position : positions) {
    const auto partition = context.logs->find_partition(position.topic, position.partition);
    if (partition == nullptr) continue;
    {
      const std::lock_guard guard(waiting->mutex);
      ++waiting->left;
    }
    // An offset that was committed by hand may be any number.
    partition->when_durable(std::min(position.offset, partition->offsets().log_end),
                            [waiting](const Status& status) { waiting->finish_one(status); });
  }
  waiting->finish_one({});
}

}  // namespace muir::broker
