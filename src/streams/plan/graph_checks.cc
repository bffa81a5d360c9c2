// What is wrong with a topology as a whole: names, topics, stores.
#include <algorithm>
#include <set>

#include "streams/plan/graph.h"
#include "streams/plan/legal_names.h"

namespace muir::streams::internal {
void Graph::check_topics() {
  for (const GraphNode& node : nodes_) {
    if (node.source && !node.source->internal_topic) {
      for (const auto& topic : node.source->topics) check_topic(topic, node.name + " reads");
    }
    if (node.sink && !node.sink->extract_topic && !node.sink->internal_topic) {
      check_topic(node.sink->topic, node.name + " writes");
    }
  }
  for (const auto& topic : repartition_topics_) {
    if (topic.partitions && *topic.partitions < 1) {
      report(error(Code::invalid_argument,
                   "topology: repartition topic {}: {} partitions; it needs at least 1, or none "
                   "named for as many as the topics it comes from",
                   topic.name, *topic.partitions));
    }
    check_topic(topic.name, "the topology repartitions through");
  }
}

void Graph::check_topic(const std::string& topic, std::string_view who) {
  if (!is_legal_name(topic)) {
    report(error(Code::invalid_argument,
                 "topology: {} topic '{}', which no topic can be named: 1 to 249 of the characters "
                 "a-z A-Z 0-9 . _ -, and not . or ..",
                 who, topic));
  }
}

void Graph::check_stores() {
  for (const auto& [name, store] : stores_) {
    if (auto status = check_name(name); !status.ok()) report(std::move(status));
    if (auto status = check_topic_keys(store.topic_configs); !status.ok())
      report(status.annotate(fmt::format("topology: changelog of store {}", name)));
    if (auto status = store.supplier(store::StoreKind::rocksdb)->check(); !status.ok()) {
      report(status.annotate("topology"));
    }
  }
}

void Graph::check_sources() {
  std::map<std::string, std::string> readers;  // topic -> source
  for (const GraphNode& node : nodes_) {
    if (!node.source || node.source->internal_topic) continue;
    if (node.source->topics.empty()) {
      report(error(Code::invalid_argument, "topology: stream {} names no topic", node.name));
    }
    for (const auto& topic : node.source->topics) {
      const auto [at, first] = readers.emplace(topic, node.name);
      if (!first) {
        report(error(Code::invalid_argument, "topology: topic {} is read by {} and {}", topic, at->second, node.name));
      }
    }
  }
}

Status Graph::finish() {
  if (std::none_of(nodes_.begin(), nodes_.end(), [](const GraphNode& node) { return node.source.has_value(); })) {
    report(error(Code::invalid_argument, "topology: it reads no topic; begin it with stream() or table()"));
  }
  check_sources();
  check_topics();
  check_stores();
  for (const GraphNode& node : nodes_) {
    if (auto status = check_name(node.name); !status.ok()) report(std::move(status));
  }
  for (const GraphNode& node : nodes_) {
    for (const std::string& store : node.stores) {
      if (!stores_.contains(store)) {
        report(error(Code::not_found, "topology: {} uses state store {}, which was not added", node.name, store));
      }
    }
  }
  return mistake_;
}

}  // namespace muir::streams::internal
