#include "streams/internal/graph.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace muir::streams::internal {

std::string Graph::generate_name(std::string_view prefix) { return fmt::format("{}{:010}", prefix, next_index_++); }

std::string Graph::name_or(const std::string& name, std::string_view prefix) {
  std::string generated = generate_name(prefix);
  return name.empty() ? generated : name;
}

NodeId Graph::add(GraphNode node) {
  const NodeId id = nodes_.size();
  for (const GraphNode& other : nodes_) {
    if (other.name == node.name) {
      mistake(error(Code::already_exists, "topology: two operators are named {}", node.name));
    }
  }
  for (const NodeId parent : node.parents) nodes_[parent].children.push_back(id);
  nodes_.push_back(std::move(node));
  return id;
}

void Graph::add_store(StoreSpec store) {
  const std::string name = store.name();
  if (!stores_.emplace(name, std::move(store)).second) {
    mistake(error(Code::already_exists, "topology: two state stores are named {}", name));
  }
}

void Graph::add_repartition_topic(RepartitionTopic topic) {
  for (const auto& other : repartition_topics_) {
    if (other.name == topic.name) {
      mistake(
          error(Code::already_exists, "topology: two operators repartition through {}; name one of them", topic.name));
    }
  }
  repartition_topics_.push_back(std::move(topic));
}

std::vector<std::string> Graph::require_look_up(NodeId table) {
  GraphNode& node = nodes_[table];
  if (!node.can_look_up) {
    mistake(error(Code::invalid_argument, "topology: table {} cannot be joined with", node.name));
    return {};
  }
  if (node.lazy_store) {
    node.stores.push_back(node.lazy_store->name());
    add_store(*std::exchange(node.lazy_store, std::nullopt));
  }
  if (!node.stores.empty()) return node.stores;
  return require_look_up(node.parents.front());
}

void Graph::require_old_values(NodeId table) {
  GraphNode& node = nodes_[table];
  if (node.sends_old_values) return;
  node.sends_old_values = true;
  if (node.lazy_store) require_look_up(table);
  // A table without a store of its own makes its old values from its parent's.
  if (nodes_[table].stores.empty() && !nodes_[table].parents.empty()) require_old_values(nodes_[table].parents.front());
}

bool Graph::offer_old_values(NodeId table) {
  GraphNode& node = nodes_[table];
  if (node.sends_old_values) return true;
  if (node.lazy_store) return false;
  if (node.stores.empty() && (node.parents.empty() || !offer_old_values(node.parents.front()))) return false;
  return node.sends_old_values = true;
}

namespace {

// What Kafka allows in the names of topics, which are made of these.
Status check_name(const std::string& name) {
  constexpr size_t kNameMax = 249;
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  if (!name.empty() && name != "." && name != ".." && name.size() <= kNameMax &&
      std::all_of(name.begin(), name.end(), legal)) {
    return {};
  }
  return error(Code::invalid_argument, "topology: name '{}' must have 1 to {} of the characters a-z A-Z 0-9 . _ -",
               name, kNameMax);
}

}  // namespace

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
      mistake(error(Code::invalid_argument,
                    "topology: repartition topic {}: {} partitions; it needs at least 1, or none "
                    "named for as many as the topics it comes from",
                    topic.name, *topic.partitions));
    }
    check_topic(topic.name, "the topology repartitions through");
  }
}

void Graph::check_topic(const std::string& topic, std::string_view who) {
  if (const auto status = check_name(topic); !status.ok()) {
    mistake(error(Code::invalid_argument,
                  "topology: {} topic '{}', which no topic can be named: 1 to 249 of the characters "
                  "a-z A-Z 0-9 . _ -, and not . or ..",
                  who, topic));
  }
}

void Graph::check_stores() {
  for (const auto& [name, store] : stores_) {
    if (auto status = check_name(name); !status.ok()) mistake(std::move(status));
    const auto* window = std::get_if<store::WindowStoreOptions>(&store.options);
    if (window == nullptr) continue;
    if (window->window_size_ms <= 0) {
      mistake(error(Code::invalid_argument, "topology: window store {}: window size {} ms must be positive", name,
                    window->window_size_ms));
    } else if (window->retention_ms < window->window_size_ms) {
      mistake(error(Code::invalid_argument, "topology: window store {}: retention {} ms below the window size, {} ms",
                    name, window->retention_ms, window->window_size_ms));
    }
  }
}

void Graph::check_sources() {
  std::map<std::string, std::string> readers;  // topic -> source
  for (const GraphNode& node : nodes_) {
    if (!node.source || node.source->internal_topic) continue;
    if (node.source->topics.empty()) {
      mistake(error(Code::invalid_argument, "topology: stream {} names no topic", node.name));
    }
    for (const auto& topic : node.source->topics) {
      const auto [at, first] = readers.emplace(topic, node.name);
      if (!first) {
        mistake(error(Code::invalid_argument, "topology: topic {} is read by {} and {}", topic, at->second, node.name));
      }
    }
  }
}

Status Graph::finish() {
  if (std::none_of(nodes_.begin(), nodes_.end(), [](const GraphNode& node) { return node.source.has_value(); })) {
    mistake(error(Code::invalid_argument, "topology: it reads no topic; begin it with stream() or table()"));
  }
  check_sources();
  check_topics();
  check_stores();
  for (const GraphNode& node : nodes_) {
    if (auto status = check_name(node.name); !status.ok()) mistake(std::move(status));
  }
  for (const GraphNode& node : nodes_) {
    for (const std::string& store : node.stores) {
      if (!stores_.contains(store)) {
        mistake(error(Code::not_found, "topology: {} uses state store {}, which was not added", node.name, store));
      }
    }
  }
  return mistake_;
}

std::optional<NodeId> Graph::source_of(const std::vector<std::string>& topics) const {
  const std::set<std::string> wanted(topics.begin(), topics.end());
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const auto& source = nodes_[id].source;
    if (source && !source->internal_topic && !nodes_[id].global &&
        std::set(source->topics.begin(), source->topics.end()) == wanted)
      return id;
  }
  return std::nullopt;
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

Status Graph::configure_once(const SerdeContext& context) const {
  std::set<std::pair<ErasedSerde*, bool>> done;
  const auto configure = [&](const SharedSerde& serde, bool is_key, const std::string& where) -> Status {
    if (!serde || !done.emplace(serde.get(), is_key).second) return {};
    const Status configured = serde->configure(context, is_key);
    if (configured.ok()) return configured;
    return configured.annotate(fmt::format("topology: the {} of {}", is_key ? "key" : "value", where));
  };
  const auto both = [&](const SharedSerde& key, const SharedSerde& value, const std::string& where) -> Status {
    MUIR_RETURN_IF_ERROR(configure(key, true, where));
    return configure(value, false, where);
  };
  for (const GraphNode& node : nodes_) {
    if (node.source) {
      MUIR_RETURN_IF_ERROR(both(node.source->types.key.serde, node.source->types.value.serde,
                                node.name + ", which reads topic " +
                                    (node.source->topics.empty() ? std::string() : node.source->topics.front())));
    }
    if (node.sink) {
      const std::string to = node.sink->extract_topic ? " a topic of its choice" : " topic " + node.sink->topic;
      MUIR_RETURN_IF_ERROR(both(node.sink->key, node.sink->value, node.name + ", which writes" + to));
    }
  }
  for (const auto& [name, store] : stores_) {
    MUIR_RETURN_IF_ERROR(both(store.types.key.serde, store.types.value.serde, "state store " + name));
  }
  return {};
}

Status Graph::configure_serdes(const SerdeContext& context) const {
  const std::lock_guard lock(configure_mutex_);
  if (configured_ && configured_for_ == context.registry) return {};
  MUIR_RETURN_IF_ERROR(configure_once(context));
  configured_ = true;
  configured_for_ = context.registry;
  return {};
}

}  // namespace muir::streams::internal
