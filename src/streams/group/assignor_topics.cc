#include "streams/group/assignor_topics.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "streams/plan/plan.h"

namespace muir::streams::internal {
namespace {

class Resolver {
 public:
  Resolver(const TopologyPlan& plan, const StreamsConfig& config, const PartitionCount& count)
      : plan_(plan), config_(config), count_(count) {
    for (const auto& topic : plan.internal_topics()) internal_[topic.name] = &topic;
  }

  Result<ResolvedTopics> run() {
    MUIR_RETURN_IF_ERROR(external_counts());
    MUIR_RETURN_IF_ERROR(repartition_counts());
    MUIR_RETURN_IF_ERROR(check_copartitioning());
    out_.sources = out_.partitions;
    make_tasks();
    MUIR_RETURN_IF_ERROR(list_internal_topics());
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is_repartition(const std::string& topic) const {
    const auto found = internal_.find(topic);
    return found != internal_.end() && !found->second->changelog;
  }

  Status external_counts() {
    std::string missing;
    for (const auto& sub : plan_.subtopologies()) {
      if (sub.is_global) continue;  // no tasks follow from them
      for (const auto& topic : sub.source_topics) {
        if (is_repartition(topic) || out_.partitions.contains(topic)) continue;
        const Result<int32_t> count = count_(topic);
        if (!count.ok() && count.status().code() != Code::not_found)
          return count.status().annotate("describe topic " + topic);
        if (!count.ok() || *count <= 0) {
          missing += (missing.empty() ? "" : ", ") + topic;
        } else {
          out_.partitions[topic] = *count;
        }
      }
    }
    if (missing.empty()) return {};
    return error(Code::not_found, "missing source topics of application {}: {}; create them before starting it",
                 config_.application_id, missing);
  }

  // A repartition topic has as many partitions as the largest source topic of the subtopology that writes it, unless
  // its number is given, or that of a topic that it is co-partitioned with. Topics feed each other, so the rule is
  // applied until nothing is unknown. Where they do so in a ring, what is known of their writers counts, as in Kafka
  // Streams' RepartitionTopics.
  Status repartition_counts() {
    std::set<std::string> unknown;
    for (const auto& [name, topic] : internal_) {
      if (topic->changelog) continue;
      if (topic->partitions) {
        out_.partitions[name] = *topic->partitions;
      } else {
        unknown.insert(name);
      }
    }
    raise_to_copartitioned();
    std::erase_if(unknown, [&](const std::string& topic) { return out_.partitions.contains(topic); });
    while (!unknown.empty()) {
      if (!derive(unknown, true) && !derive(unknown, false)) {
        return error(Code::failed_precondition,
                     "partition count of repartition topic {} cannot be derived: its inputs "
                     "depend on it; give it a number of partitions",
                     *unknown.begin());
      }
      raise_to_copartitioned();
    }
    raise_to_copartitioned();
    return {};
  }

  // False: of none of them is enough known.
  bool derive(std::set<std::string>& unknown, bool all_sources) {
    const size_t before = unknown.size();
    std::erase_if(unknown, [&](const std::string& topic) {
      const int32_t count = count_by_writers(topic, all_sources);
      if (count > 0) out_.partitions[topic] = count;
      return count > 0;
    });
    return unknown.size() < before;
  }

  // 0: unknown. `all_sources`: the count of each source topic of its writers must be known.
  int32_t count_by_writers(const std::string& topic, bool all_sources) const {
    int32_t count = 0;
    for (const auto& sub : plan_.subtopologies()) {
      if (std::find(sub.sink_topics.begin(), sub.sink_topics.end(), topic) == sub.sink_topics.end()) continue;
      for (const auto& source : sub.source_topics) {
        const auto known = out_.partitions.find(source);
        if (known != out_.partitions.end()) {
          count = std::max(count, known->second);
        } else if (all_sources) {
          return 0;
        }
      }
    }
    return count;
  }

  // Repartition topics without a number of their own follow the group they are co-partitioned with: at once, where
  // another member's is given.
  void raise_to_copartitioned() {
    for (const auto& group : plan_.copartition_groups()) {
      int32_t fixed = 0;
      int32_t largest = 0;
      for (const auto& topic : group) {
        const auto known = out_.partitions.find(topic);
        if (known == out_.partitions.end()) continue;
        const bool flexible = is_repartition(topic) && !internal_.at(topic)->partitions;
        (flexible ? largest : fixed) = std::max(flexible ? largest : fixed, known->second);
      }
      for (const auto& topic : group) {
        if (!is_repartition(topic) || internal_.at(topic)->partitions) continue;
        if (fixed > 0 || out_.partitions.contains(topic)) out_.partitions[topic] = fixed > 0 ? fixed : largest;
      }
    }
  }

  Status check_copartitioning() const {
    for (const auto& group : plan_.copartition_groups()) {
      std::string text;
      std::set<int32_t> counts;
      for (const auto& topic : group) {
        const auto known = out_.partitions.find(topic);
        if (known == out_.partitions.end()) continue;
        counts.insert(known->second);
        text += fmt::format("{}{} ({} partitions)", text.empty() ? "" : ", ", topic, known->second);
      }
      if (counts.size() > 1) {
        return error(Code::failed_precondition,
                     "topics that are joined must have equally many partitions: {}; repartition "
                     "one of them in the topology",
                     text);
      }
    }
    return {};
  }

  void make_tasks() {
    for (const auto& sub : plan_.subtopologies()) {
      if (sub.is_global) continue;
      int32_t count = 0;
      for (const auto& topic : sub.source_topics) count = std::max(count, out_.partitions[topic]);
      for (int32_t partition = 0; partition < count; ++partition) {
        PlannedTask task{.id = {sub.id, PartitionId(partition)}, .stateful = false, .partitions = {}};
        for (const auto& store : sub.stores) task.stateful |= !store.changelog_topic.empty();
        for (const auto& topic : sub.source_topics) {
          if (partition < out_.partitions[topic]) task.partitions.push_back({topic, PartitionId(partition)});
        }
        std::sort(task.partitions.begin(), task.partitions.end());
        out_.tasks.push_back(std::move(task));
      }
      for (const auto& store : sub.stores) {
        if (store.changelog_topic.empty() || store.source_topic_is_changelog) continue;
        out_.partitions[store.changelog_topic] = count;
      }
    }
    std::sort(out_.tasks.begin(), out_.tasks.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }

  Status list_internal_topics() {
    for (const auto& [name, topic] : internal_) {
      const auto count = out_.partitions.find(name);
      if (count == out_.partitions.end() || count->second <= 0) {
        return error(Code::internal, "internal topic {} belongs to no subtopology", name);
      }
      client::NewTopic created{
          .name = name, .partitions = count->second, .replication_factor = config_.replication_factor};
      // With a broker whose default is LogAppendTime, event time would be lost here, and windows behind would be wrong.
      created.configs["message.timestamp.type"] = "CreateTime";
      for (const auto& [key, value] : topic->configs) created.configs[key] = value;
      for (const auto& [key, value] : config_.topic_configs) created.configs[key] = value;
      out_.internal_topics.push_back(std::move(created));
    }
    return {};
  }

  const TopologyPlan& plan_;
  const StreamsConfig& config_;
  const PartitionCount& count_;
  std::map<std::string, const InternalTopic*> internal_;
  ResolvedTopics out_;
};

}  // namespace

Result<ResolvedTopics> resolve_topics(const TopologyPlan& plan, const StreamsConfig& config,
                                      const PartitionCount& count) {
  return Resolver(plan, config, count).run();
}

Status ensure_internal_topics(const ResolvedTopics& topics, client::Admin& admin) {
  for (const auto& topic : topics.internal_topics) {
    Result<client::TopicDescription> existing = admin.describe_topic(topic.name);
    if (!existing.ok() && existing.status().code() == Code::not_found) {
      const Status created = admin.create_topic(topic);
      if (created.ok()) {
        log::info("created internal topic {} with {} partitions", topic.name, topic.partitions);
        continue;
      }
      // Somebody was quicker, the leader of an earlier generation for one: what counts is what is there now.
      if (created.code() != Code::already_exists) return created.annotate("create internal topic " + topic.name);
      existing = admin.describe_topic(topic.name);
    }
    if (!existing.ok()) return existing.status().annotate("describe internal topic " + topic.name);
    if (existing->partitions != topic.partitions) {
      return error(
          Code::failed_precondition,
          "internal topic {} has {} partitions, but the topology needs {}: the input topics or the topology have "
          "changed; stop the application, and delete its internal topics to begin anew",
          topic.name, existing->partitions, topic.partitions);
    }
  }
  return {};
}

}  // namespace muir::streams::internal
