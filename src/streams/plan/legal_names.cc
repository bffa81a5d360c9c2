#include "streams/plan/legal_names.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/config.h"

namespace muir::streams::internal {
namespace {

constexpr size_t kNameMax = 249;

// Of Apache Kafka 4.3.
const std::vector<std::string>& topic_keys() {
  static const std::vector<std::string> keys{"cleanup.policy",
                                             "compression.gzip.level",
                                             "compression.lz4.level",
                                             "compression.type",
                                             "compression.zstd.level",
                                             "delete.retention.ms",
                                             "file.delete.delay.ms",
                                             "flush.messages",
                                             "flush.ms",
                                             "follower.replication.throttled.replicas",
                                             "index.interval.bytes",
                                             "leader.replication.throttled.replicas",
                                             "local.retention.bytes",
                                             "local.retention.ms",
                                             "max.compaction.lag.ms",
                                             "max.message.bytes",
                                             "message.timestamp.after.max.ms",
                                             "message.timestamp.before.max.ms",
                                             "message.timestamp.type",
                                             "min.cleanable.dirty.ratio",
                                             "min.compaction.lag.ms",
                                             "min.insync.replicas",
                                             "preallocate",
                                             "remote.log.copy.disable",
                                             "remote.log.delete.on.disable",
                                             "remote.storage.enable",
                                             "retention.bytes",
                                             "retention.ms",
                                             "segment.bytes",
                                             "segment.index.bytes",
                                             "segment.jitter.ms",
                                             "segment.ms",
                                             "unclean.leader.election.enable"};
  return keys;
}

}  // namespace

bool is_legal_name(const std::string& name) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name != "." && name != ".." && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), legal);
}

Status check_name(const std::string& name) {
  if (is_legal_name(name)) return {};
  return error(Code::invalid_argument,
               "topology: name '{}' must have 1 to {} of the characters a-z A-Z 0-9 . _ -, and not be . or ..", name,
               kNameMax);
}

Status check_topic_keys(const std::map<std::string, std::string>& configs) {
  const std::vector<std::string>& known = topic_keys();
  for (const auto& [key, value] : configs) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = nearest(key, known);
    return error(Code::invalid_argument, "no topic has a setting '{}'{}", key,
                 near.empty() ? "" : fmt::format("; did you mean {}?", near));
  }
  return {};
}

}  // namespace muir::streams::internal
