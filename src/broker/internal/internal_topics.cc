#include "broker/internal/internal_topics.h"

#include <sys/resource.h>

#include "log/kafka_error.h"

namespace muir::broker {

int64_t open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT32_MAX) return INT32_MAX;
  return static_cast<int64_t>(limit.rlim_cur);
}

Status check_internal_room(const BrokerSettings& settings, int64_t open_files) {
  const int64_t offsets = settings.offsets_topic_partitions;
  const int64_t transactions = settings.transactions_topic_partitions;
  if (offsets + transactions <= open_files) return {};
  return error(Code::invalid_argument,
               "offsets.topic.num.partitions={} and transaction.state.log.num.partitions={} need more files than the "
               "{} that may be open; lower them, or raise the limit of open files (ulimit -n)",
               offsets, transactions, open_files);
}

Status check_files(int64_t there, int64_t more, int64_t open_files) {
  if (there + more <= open_files) return {};
  return storage::kafka_error(
      wire::ErrorCode::policy_violation,
      "{} more partitions are too many: there are {}, and {} files may be open. Delete topics, or "
      "raise the limit of open files (ulimit -n) and restart.",
      more, there, open_files);
}

Result<storage::TopicPtr> find_or_create_topic(BrokerContext& context, const std::string& name) {
  if (auto topic = context.logs->find_topic(name)) return topic;
  int64_t partitions = context.settings.num_partitions;
  Properties settings;
  if (name == kOffsetsTopic) {
    partitions = context.settings.offsets_topic_partitions;
    settings = {{"cleanup.policy", "compact"},
                {"compression.type", "producer"},
                {"segment.bytes", std::to_string(context.settings.offsets_topic_segment_bytes)}};
  } else if (name == kTransactionsTopic) {
    partitions = context.settings.transactions_topic_partitions;
    settings = {{"cleanup.policy", "compact"},
                {"compression.type", "uncompressed"},
                {"segment.bytes", std::to_string(context.settings.transactions_topic_segment_bytes)}};
  }
  if (is_internal_topic(name)) {
    int64_t there = 0;
    for (const storage::TopicPtr& topic : context.logs->topics())
      there += static_cast<int64_t>(topic->partitions.size());
    MUIR_RETURN_IF_ERROR(check_files(there, partitions, open_files_limit()));
  }
  auto made =
      context.logs->create_topic(name, static_cast<int32_t>(partitions), settings, false, is_internal_topic(name));
  // Another request may have been quicker.
  if (!made.ok() && storage::kafka_code(made.status()) == wire::ErrorCode::topic_already_exists) {
    if (auto topic = context.logs->find_topic(name)) return topic;
  }
  return made;
}

}  // namespace muir::broker
