#include "streams/plan/graph.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace muir::streams::internal {

NodeId Graph::add(GraphNode node) {
  const NodeId id = nodes_.size();
  for (const GraphNode& other : nodes_) {
    if (other.name == node.name) {
      report(error(Code::already_exists, "topology: two operators are named {}", node.name));
    }
  }
  // A stream merged with itself is one parent, to which its child belongs once, as in Kafka Streams.
  std::vector<NodeId> parents;
  for (const NodeId parent : node.parents) {
    if (std::find(parents.begin(), parents.end(), parent) != parents.end()) continue;
    parents.push_back(parent);
    nodes_[parent].children.push_back(id);
  }
  node.parents = std::move(parents);
  nodes_.push_back(std::move(node));
  return id;
}

void Graph::add_store(StoreSpec store) {
  const std::string name = store.name;
  if (!stores_.emplace(name, std::move(store)).second) {
    report(error(Code::already_exists, "topology: two state stores are named {}", name));
  }
}

void Graph::add_repartition_topic(RepartitionTopic topic) {
  for (const auto& other : repartition_topics_) {
    if (other.name == topic.name) {
      report(
          error(Code::already_exists, "topology: two operators repartition through {}; name one of them", topic.name));
    }
  }
  repartition_topics_.push_back(std::move(topic));
}

namespace {

// Union-find over node ids.
class Groups {
 public:
  explicit Groups(size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), NodeId{0}); }
  NodeId root(NodeId id) {
    while (parent_[id] != id) id = parent_[id] = parent_[parent_[id]];
    return id;
  }
  void join(NodeId a, NodeId b) { parent_[root(a)] = root(b); }

 private:
  std::vector<NodeId> parent_;
};

}  // namespace

std::vector<std::vector<NodeId>> Graph::subtopologies() const {
  Groups groups(nodes_.size());
  std::map<std::string, NodeId> users;  // store -> a node that uses it
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    for (const NodeId parent : nodes_[id].parents) groups.join(id, parent);
    for (const std::string& store : nodes_[id].stores) {
      const auto [at, first] = users.emplace(store, id);
      if (!first) groups.join(id, at->second);
    }
  }
  std::vector<std::vector<NodeId>> out;
  std::map<NodeId, size_t> index;  // root -> position in out
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const auto [at, first] = index.emplace(groups.root(id), out.size());
    if (first) out.emplace_back();
    out[at->second].push_back(id);
  }
  return out;
}

void Graph::collect_sources(NodeId node, std::vector<TopicRef>& out) const {
  if (nodes_[node].source) {
    for (const auto& topic : nodes_[node].source->topics) out.push_back({topic, nodes_[node].source->internal_topic});
  }
  for (const NodeId parent : nodes_[node].parents) collect_sources(parent, out);
}

std::vector<std::vector<Graph::TopicRef>> Graph::copartition_groups() const {
  std::vector<std::set<TopicRef>> groups;
  for (const auto& [left, right] : copartitioned_) {
    std::vector<TopicRef> topics;
    collect_sources(left, topics);
    collect_sources(right, topics);
    std::set<TopicRef> merged(topics.begin(), topics.end());
    // Groups that share a topic are one group.
    std::erase_if(groups, [&](std::set<TopicRef>& group) {
      const bool shares =
          std::any_of(group.begin(), group.end(), [&](const TopicRef& t) { return merged.contains(t); });
      if (shares) merged.merge(group);
      return shares;
    });
    groups.push_back(std::move(merged));
  }
  std::vector<std::vector<TopicRef>> out;
  for (const auto& group : groups) out.emplace_back(group.begin(), group.end());
  return out;
}

}  // namespace muir::streams::internal
