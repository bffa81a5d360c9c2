// Graph: the topology as the DSL builds it, one entry per node of Kafka's topology, in the order of the calls.
//
// Mutable while it is built, by one thread; const and shared by all after that. Mistakes of the program are kept, and
// reported by StreamsBuilder::build().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "serde/erased_serde.h"
#include "store/key_value_store.h"
#include "store/window_store.h"
#include "streams/internal/node.h"
#include "streams/internal/type_ops.h"
#include "streams/options.h"

namespace muir::streams::internal {

using NodeId = size_t;
using SharedSerde = std::shared_ptr<ErasedSerde>;

// A type and its bytes.
struct TypedSerde {
  const TypeOps* type = nullptr;
  SharedSerde serde{};
};
struct TypedPair {
  TypedSerde key{};
  TypedSerde value{};
};

using ExtractTimestamp = std::function<int64_t(const Row&, int64_t partition_time_ms)>;
using ExtractTopic = std::function<std::string(const Row&)>;
using NodeFactory = std::function<std::unique_ptr<Node>()>;

struct SourceSpec {
  std::vector<std::string> topics{};
  bool internal_topic = false;
  TypedPair types{};
  ExtractTimestamp timestamp{};
  InvalidTimestamp invalid_timestamp = InvalidTimestamp::fail;
  std::optional<Reset> reset{};
  bool changes = false;  // values are pairs of new and old, see docs/formats/store-keys.md
};

struct SinkSpec {
  std::string topic{};
  ExtractTopic extract_topic{};  // when set, instead of `topic`
  bool internal_topic = false;
  SharedSerde key{};
  SharedSerde value{};
  bool changes = false;  // as SourceSpec::changes
};

struct StoreSpec {
  std::variant<store::KeyValueStoreOptions, store::WindowStoreOptions> options{};
  bool logging = true;
  std::map<std::string, std::string> topic_configs{};
  std::string source_topic{};  // global tables: restored from here
  TypedPair types{};

  [[nodiscard]] const std::string& name() const {
    return std::visit([](const auto& o) -> const std::string& { return o.name; }, options);
  }
};

struct GraphNode {
  std::string name{};
  std::vector<NodeId> parents{};
  std::vector<NodeId> children{};
  std::vector<std::string> stores{};  // that the node may use
  NodeFactory make{};
  std::optional<SourceSpec> source{};
  std::optional<SinkSpec> sink{};
  bool global = false;

  // What the DSL needs to know of a stream or table that this node yields.
  bool repartition_required = false;
  SharedSerde key_serde{};  // empty: that of the type
  SharedSerde value_serde{};
  std::optional<StoreSpec> lazy_store{};  // a table's, made when something has to look it up
  bool can_look_up = false;
  bool sends_old_values = false;
};

struct RepartitionTopic {
  std::string name;  // without the application's prefix
  std::optional<int32_t> partitions{};
};

class Graph {
 public:
  // ---- building
  // "<prefix><next index, ten digits>".
  std::string generate_name(std::string_view prefix);
  // The index is spent also when a name is given.
  std::string name_or(const std::string& name, std::string_view prefix);
  NodeId add(GraphNode node);
  void add_store(StoreSpec store);
  // Lets `node` use a store that exists or will exist when the topology is built.
  void connect_store(NodeId node, const std::string& store) { nodes_[node].stores.push_back(store); }
  void add_repartition_topic(RepartitionTopic topic);
  // The sources above both must have equally many partitions.
  void copartition(NodeId left, NodeId right) { copartitioned_.emplace_back(left, right); }
  // Stores that a look-up in this table reads; makes the table's store if it has none yet.
  std::vector<std::string> require_look_up(NodeId table);
  // From now on the table forwards what each key had before, too.
  void require_old_values(NodeId table);
  // The same if that takes no store that is not there already; whether it forwards them now. Kafka's filters ask so.
  bool offer_old_values(NodeId table);
  // Keeps the first mistake.
  void mistake(Status status) {
    if (mistake_.ok()) mistake_ = std::move(status);
  }
  Status finish();

  // ---- reading
  [[nodiscard]] GraphNode& at(NodeId id) { return nodes_[id]; }
  [[nodiscard]] const GraphNode& at(NodeId id) const { return nodes_[id]; }
  [[nodiscard]] const std::vector<GraphNode>& nodes() const { return nodes_; }
  [[nodiscard]] const std::map<std::string, StoreSpec>& stores() const { return stores_; }
  [[nodiscard]] const std::vector<RepartitionTopic>& repartition_topics() const { return repartition_topics_; }
  [[nodiscard]] std::optional<NodeId> source_of(const std::vector<std::string>& topics) const;
  // Ids of the nodes of each subtopology, in the subtopologies' order.
  [[nodiscard]] std::vector<std::vector<NodeId>> subtopologies() const;
  // Topics, without prefix, that must have equally many partitions; with whether each is internal.
  struct TopicRef {
    std::string name;
    bool internal = false;
    auto operator<=>(const TopicRef&) const = default;
  };
  [[nodiscard]] std::vector<std::vector<TopicRef>> copartition_groups() const;

  // Binds every serde to its surroundings, once per registry. Thread-safe.
  Status configure_serdes(const SerdeContext& context) const;

 private:
  void check_sources();
  void check_topics();
  void check_topic(const std::string& topic, std::string_view who);
  void check_stores();
  Status configure_once(const SerdeContext& context) const;
  void collect_sources(NodeId node, std::vector<TopicRef>& out) const;

  std::vector<GraphNode> nodes_;
  std::map<std::string, StoreSpec> stores_;
  std::vector<RepartitionTopic> repartition_topics_;
  std::vector<std::pair<NodeId, NodeId>> copartitioned_;
  int next_index_ = 0;
  Status mistake_;

  mutable std::mutex configure_mutex_;
  mutable bool configured_ = false;
  mutable RegistryPort* configured_for_ = nullptr;
};

}  // namespace muir::streams::internal
