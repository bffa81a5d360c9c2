// A topology's description as a picture and for programs.
#include <set>

#include "streams/plan/described.h"
#include "streams/topology.h"

namespace muir::streams {
namespace internal {
namespace {

// ---- Graphviz

// Names have no character that would need more: legal_names.h.
std::string quoted(std::string_view name) { return fmt::format("\"{}\"", name); }

// Topics, stores and nodes may have the same name; a node's is its own.
std::string topic_id(const std::string& topic) { return quoted("topic " + topic); }
std::string store_id(const std::string& store) { return quoted("store " + store); }

class Picture {
 public:
  explicit Picture(const Graph& graph) {
    out_ = "digraph topology {\n  node [fontname=\"sans-serif\", shape=box];\n";
    int id = 0;
    for (const DescribedSubtopology& sub : described(graph)) add(sub, id++);
    for (const std::string& topic : topics_)
      out_ += fmt::format("  {} [label={}, shape=cds];\n", topic_id(topic), quoted(topic));
    out_ += edges_ + "}\n";
  }
  [[nodiscard]] std::string text() && { return std::move(out_); }

 private:
  void add(const DescribedSubtopology& sub, int id) {
    out_ += fmt::format("  subgraph cluster_{} {{\n    label=\"{} {}\";\n", id,
                        sub.global ? "Global store" : "Sub-topology", id);
    std::set<std::string> stores;
    for (const Described* at : sub.in_order) {
      const GraphNode& node = *at->node;
      out_ += fmt::format("    {};\n", quoted(node.name));
      stores.insert(node.stores.begin(), node.stores.end());
      add_edges(*at);
    }
    for (const std::string& store : stores)
      out_ += fmt::format("    {} [label={}, shape=cylinder];\n", store_id(store), quoted(store));
    out_ += "  }\n";
  }

  void add_edges(const Described& at) {
    const GraphNode& node = *at.node;
    const std::string name = quoted(node.name);
    const auto edge = [&](const std::string& from, const std::string& to, const char* style) {
      edges_ += fmt::format("  {} -> {}{};\n", from, to, style);
    };
    if (node.source) {
      for (const std::string& topic : in_java_order(node.source->topics)) edge(topic_id(topic), name, "");
      topics_.insert(node.source->topics.begin(), node.source->topics.end());
    }
    for (const Described* next : at.successors) edge(name, quoted(next->node->name), "");
    for (const std::string& store : in_java_order(node.stores))
      edge(name, store_id(store), " [dir=none, style=dashed]");
    if (!node.sink || node.sink->extract_topic) return;
    edge(name, topic_id(node.sink->topic), "");
    topics_.insert(node.sink->topic);
  }

  std::string out_;
  std::string edges_;
  std::set<std::string> topics_;
};

// ---- JSON

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + quoted(name);
  return "[" + out + "]";
}

std::string list(const std::vector<Described*>& nodes) {
  std::vector<std::string> names;
  for (const Described* at : nodes) names.push_back(at->node->name);
  return list(names);
}

std::string kind_json(const GraphNode& node) {
  if (node.source) return fmt::format(R"("type":"source","topics":{})", list(in_java_order(node.source->topics)));
  if (!node.sink) return fmt::format(R"("type":"processor","stores":{})", list(in_java_order(node.stores)));
  return fmt::format(R"("type":"sink","topic":{})", node.sink->extract_topic ? "null" : quoted(node.sink->topic));
}

std::string node_json(const Described& at) {
  return fmt::format(R"({{"name":{},{},"successors":{},"predecessors":{}}})", quoted(at.node->name),
                     kind_json(*at.node), list(at.successors), list(at.predecessors));
}

}  // namespace
}  // namespace internal

std::string Topology::describe_graphviz() const { return internal::Picture(*graph_).text(); }

std::string Topology::describe_json() const {
  std::string subtopologies;
  std::string global_stores;
  int id = 0;
  for (const internal::DescribedSubtopology& sub : internal::described(*graph_)) {
    std::string nodes;
    for (const internal::Described* at : sub.in_order) nodes += (nodes.empty() ? "" : ",") + internal::node_json(*at);
    std::string& to = sub.global ? global_stores : subtopologies;
    to += fmt::format(R"({}{{"id":{},"nodes":[{}]}})", to.empty() ? "" : ",", id++, nodes);
  }
  return fmt::format(R"({{"subtopologies":[{}],"globalStores":[{}]}})", subtopologies, global_stores);
}

}  // namespace muir::streams
