#include "streams/plan/plan.h"

#include <set>

#include "streams/nodes/guarded.h"
#include "streams/plan/legal_names.h"
#include "streams/topology.h"

namespace muir::streams {
namespace internal {
namespace {

std::map<std::string, std::string> repartition_configs() {
  return {{"cleanup.policy", "delete"},
          {"segment.bytes", "52428800"},
          {"retention.ms", "-1"},
          {"message.timestamp.type", "CreateTime"}};
}

}  // namespace

TopologyPlan::TopologyPlan(std::shared_ptr<const Graph> graph, std::string application_id, const StoreDefaults& stores)
    : graph_(std::move(graph)),
      application_id_(std::move(application_id)),
      changelogs_(stores.changelogs),
      nodes_(graph_->subtopologies()) {
  for (const auto& [name, store] : graph_->stores()) suppliers_[name] = store.supplier(stores.kind);
  for (const auto& topic : graph_->repartition_topics()) {
    internal_topics_.push_back(
        {.name = topic_name(topic.name, true), .partitions = topic.partitions, .configs = repartition_configs()});
  }
  for (const auto& nodes : nodes_) add_subtopology(nodes);
  for (const auto& group : graph_->copartition_groups()) {
    auto& names = copartitioned_.emplace_back();
    for (const auto& topic : group) names.push_back(topic_name(topic.name, topic.internal));
  }
}

Result<std::shared_ptr<const Graph>> TopologyPlan::bind(const SerdeContext& context) const {
  const std::lock_guard lock(bind_mutex_);
  if (bound_ && bound_to_ == context.registry) return bound_;
  bound_ = MUIR_TRY(guarded([&] { return graph_->bind(context); }));
  bound_to_ = context.registry;
  return bound_;
}

void TopologyPlan::add_subtopology(const std::vector<NodeId>& nodes) {
  SubtopologyPlan plan{.id = static_cast<int32_t>(subtopologies_.size())};
  std::set<std::string> sources;
  std::set<std::string> sinks;
  std::set<std::string> stores;
  for (const NodeId id : nodes) {
    const GraphNode& node = graph_->at(id);
    if (node.source) {
      plan.is_global = plan.is_global || node.source->global;
      for (const auto& topic : node.source->topics) sources.insert(topic_name(topic, node.source->internal_topic));
    }
    if (node.sink && node.sink->extract_topic) plan.sinks_choose_topics = true;
    if (node.sink && !node.sink->extract_topic) sinks.insert(topic_name(node.sink->topic, node.sink->internal_topic));
    stores.insert(node.stores.begin(), node.stores.end());
  }
  plan.source_topics.assign(sources.begin(), sources.end());
  plan.sink_topics.assign(sinks.begin(), sinks.end());
  for (const auto& name : stores) {
    const StoreSpec& store = graph_->stores().at(name);
    StorePlan& added = plan.stores.emplace_back(StorePlan{.name = name});
    if (!store.source_topic.empty()) {
      added.changelog_topic = store.source_topic;
      added.source_topic_is_changelog = true;
    } else if (store.logging) {
      added.changelog_topic = topic_name(name + "-changelog", true);
      add_changelog(store, added.changelog_topic);
    }
  }
  subtopologies_.push_back(std::move(plan));
}

void TopologyPlan::add_changelog(const StoreSpec& store, const std::string& topic) {
  std::map<std::string, std::string> configs{{"cleanup.policy", "compact"}, {"message.timestamp.type", "CreateTime"}};
  for (const auto& [key, value] : supplier(store.name).changelog_configs(changelogs_)) configs[key] = value;
  for (const auto& [key, value] : store.topic_configs) configs[key] = value;
  internal_topics_.push_back({.name = topic, .changelog = true, .configs = std::move(configs)});
}

SourceSettings TopologyPlan::source_settings(const std::string& topic) const {
  for (const GraphNode& node : graph_->nodes()) {
    if (!node.source) continue;
    for (const auto& name : node.source->topics) {
      if (topic_name(name, node.source->internal_topic) != topic) continue;
      if (node.source->internal_topic) return {.earliest = true};
      if (node.source->reset) return {.earliest = *node.source->reset == Reset::earliest};
      return {};
    }
  }
  return {};
}

}  // namespace internal

std::string Topology::describe() const { return internal::describe(*graph_); }

Result<std::shared_ptr<const internal::TopologyPlan>> Topology::plan(const std::string& application_id,
                                                                     const StoreDefaults& stores) const {
  if (application_id.empty()) return error(Code::invalid_argument, "plan topology: application.id is empty");
  // Store suppliers of the program's own are asked for their topics' settings.
  return internal::guarded([&]() -> Result<std::shared_ptr<const internal::TopologyPlan>> {
    auto plan = std::make_shared<const internal::TopologyPlan>(graph_, application_id, stores);
    for (const auto& topic : plan->internal_topics()) {
      if (internal::is_legal_name(topic.name)) continue;
      return error(Code::invalid_argument,
                   "plan topology: its topic '{}' of {} characters cannot be created: a name has 1 to 249 of the "
                   "characters a-z A-Z 0-9 . _ -; change application.id, which it begins with, or the operator's or "
                   "store's name",
                   topic.name, topic.name.size());
    }
    return std::shared_ptr<const internal::TopologyPlan>(std::move(plan));
  });
}

}  // namespace muir::streams
