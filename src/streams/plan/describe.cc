// The text of Kafka Streams' Topology.describe(), to the byte.
//
// Its orders are those of Java's collections: nodes are linked in the order of a HashMap over their names, into sets
// that sort by subtree size as it is at that moment; stores and topics print in the order of a HashSet. java_order()
// and Described reproduce that.
#include <algorithm>

#include "streams/plan/described.h"
#include "streams/plan/plan.h"

namespace muir::streams::internal {
namespace {

uint32_t java_hash(const std::string& text) {
  uint32_t hash = 0;
  for (const char c : text) hash = 31 * hash + static_cast<unsigned char>(c);
  return hash ^ (hash >> 16);
}

// The order in which a java.util.HashMap with these keys, put in the given order, iterates. `presized`: built from a
// collection (HashSet's constructor), which fixes the table's size at once.
std::vector<std::string> java_order(const std::vector<std::string>& keys, bool presized) {
  size_t table = 16;
  if (presized) {
    const size_t wanted = std::max<size_t>(16, keys.size() * 4 / 3 + 1);
    while (table < wanted) table *= 2;
  } else {
    while (keys.size() * 4 > table * 3) table *= 2;
  }
  std::vector<std::string> out = keys;
  std::stable_sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) {
    return (java_hash(a) & (table - 1)) < (java_hash(b) & (table - 1));
  });
  return out;
}

std::string bracketed(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const auto& name : in_java_order(names)) out += (out.size() > 1 ? ", " : "") + name;
  return out + "]";
}

bool comes_first(const Described* a, const Described* b) {
  return a->size != b->size ? a->size > b->size : a->node->name < b->node->name;
}

void insert(std::vector<Described*>& set, Described* added) {
  set.insert(std::find_if(set.begin(), set.end(), [&](Described* other) { return comes_first(added, other); }), added);
}

void grow(Described& at, int by) {
  at.size += by;
  for (Described* above : at.predecessors) grow(*above, by);
}

std::string names(const std::vector<Described*>& set) {
  std::string out;
  for (const Described* at : set) out += (out.empty() ? "" : ", ") + at->node->name;
  return out.empty() ? "none" : out;
}

std::string text(const Described& at) {
  const GraphNode& node = *at.node;
  if (node.source) {
    return fmt::format("Source: {} (topics: {})\n      --> {}", node.name, bracketed(node.source->topics),
                       names(at.successors));
  }
  if (node.sink) {
    const std::string target = node.sink->extract_topic ? "extractor class: function" : "topic: " + node.sink->topic;
    return fmt::format("Sink: {} ({})\n      <-- {}", node.name, target, names(at.predecessors));
  }
  return fmt::format("Processor: {} (stores: {})\n      --> {}\n      <-- {}", node.name, bracketed(node.stores),
                     names(at.successors), names(at.predecessors));
}

std::vector<Described> link(const Graph& graph, const std::vector<NodeId>& ids) {
  std::vector<Described> all(ids.size());
  std::map<std::string, Described*> by_name;
  std::vector<std::string> inserted;
  for (size_t i = 0; i < ids.size(); ++i) {
    all[i].node = &graph.at(ids[i]);
    by_name[all[i].node->name] = &all[i];
    inserted.push_back(all[i].node->name);
  }
  for (const auto& name : java_order(inserted, false)) {
    Described& at = *by_name[name];
    for (const NodeId parent : at.node->parents) {
      Described& above = *by_name[graph.at(parent).name];
      insert(at.predecessors, &above);
      insert(above.successors, &at);
      grow(above, at.size);
    }
  }
  return all;
}

}  // namespace

std::vector<std::string> in_java_order(const std::vector<std::string>& names) { return java_order(names, true); }

std::vector<DescribedSubtopology> described(const Graph& graph) {
  std::vector<DescribedSubtopology> out;
  for (const auto& ids : graph.subtopologies()) {
    DescribedSubtopology& sub = out.emplace_back();
    const auto& source = graph.at(ids.front()).source;
    sub.global = source && source->global;
    sub.all = link(graph, ids);
    for (const Described& at : sub.all) sub.in_order.push_back(&at);
    std::sort(sub.in_order.begin(), sub.in_order.end(), comes_first);
  }
  return out;
}

std::string describe(const Graph& graph) {
  std::string out = "Topologies:\n ";
  int id = 0;
  for (const DescribedSubtopology& sub : described(graph)) {
    out += fmt::format("  Sub-topology: {}{}\n", id++, sub.global ? " for global store (will not generate tasks)" : "");
    for (const Described* at : sub.in_order) out += "    " + text(*at) + "\n";
    if (!sub.global) out += "\n";
  }
  return out;
}

}  // namespace muir::streams::internal
