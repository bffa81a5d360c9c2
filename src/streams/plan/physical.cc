// From the plan to the nodes of Kafka's topology, in the order of the calls. One place() per kind of operator.
#include <algorithm>

#include "store/key_value_store.h"
#include "store/session_store.h"
#include "store/versioned_store.h"
#include "store/window_store.h"
#include "streams/nodes/foreign_key_wire.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/suppress_buffer.h"
#include "streams/plan/graph.h"

namespace muir::streams::internal {
namespace {

class Physical {
 public:
  Physical(const LogicalPlan& plan, const TableRules& rules, Graph& graph)
      : plan_(plan), rules_(rules), graph_(graph), node_(plan.operators.size()), repartition_(plan.operators.size()) {}

  void place_all() {
    for (const LogicalStore& store : plan_.stores) place_store(store);
    for (OperatorId id = 0; id < plan_.operators.size(); ++id) {
      const Known& at = plan_.operators[id];
      node_[id] = std::visit([&](const auto& kind) { return place(id, at, kind); }, at.given.kind);
    }
  }

 private:
  // ---- sources
  NodeId place(OperatorId id, const Known& at, const logical::Source& source) {
    return at.same_source == id ? add_source(at.names.node, at, source) : source_at(at.same_source);
  }
  NodeId place(OperatorId id, const Known& at, const logical::TableSource& table) {
    if (at.same_source == id) repartition_[id] = add_source(at.names.source, at, table.source);
    return add_table(id, at, table.store, source_at(at.same_source));
  }
  NodeId place(OperatorId, const Known& at, const logical::GlobalTable& table) {
    if (table.store.supplier && table.store.supplier->provides(store::VersionedStore::kFacet)) {
      graph_.report(error(Code::invalid_argument,
                          "topology: global table {}: its store {} is versioned, and a global table has the latest "
                          "values alone; give it a key-value store, or use a table",
                          at.names.node, at.names.store));
    }
    StoreSpec store = key_value_store(at, table.store);
    store.logging = false;
    store.caching = false;
    store.topic_configs.clear();
    store.source_topic = table.source.topics.front();
    graph_.add_store(std::move(store));
    SourceSpec source = source_spec(at, table.source);
    source.reset = Reset::earliest;
    source.global = true;
    const NodeId from = graph_.add({.name = at.names.source, .make = source_node(), .source = std::move(source)});
    return graph_.add({.name = at.names.node,
                       .parents = {from},
                       .stores = {at.names.store},
                       .make = table_node(table_spec(at.names.store, at.stored))});
  }

  // ---- streams
  NodeId place(OperatorId, const Known& at, const logical::Stateless& kind) {
    return then(at, stateless_node(kind.apply));
  }
  NodeId place(OperatorId id, const Known& at, const logical::Split&) {
    std::vector<Predicate> predicates;
    for (OperatorId below = id + 1; below < plan_.operators.size(); ++below) {
      const Operator& other = plan_.operators[below].given;
      const auto* branch = std::get_if<logical::Branch>(&other.kind);
      if (branch == nullptr || other.inputs.front() != id) continue;
      predicates.push_back(branch->holds ? branch->holds : [](const Row&) { return true; });
    }
    return then(at, branch_node(std::move(predicates)));
  }
  NodeId place(OperatorId, const Known& at, const logical::Branch&) { return then(at, pass_through_node()); }
  NodeId place(OperatorId, const Known& at, const logical::Merge&) {
    return graph_.add({.name = at.names.node, .parents = {in(at), in(at, 1)}, .make = pass_through_node()});
  }
  NodeId place(OperatorId, const Known& at, const logical::Repartition& kind) {
    return add_repartition(at, {.partitions = kind.partitions, .partition = kind.partition});
  }
  NodeId place(OperatorId, const Known& at, const logical::Sink& sink) {
    return graph_.add({.name = at.names.node,
                       .parents = {in(at)},
                       .make = sink_node(),
                       .sink = SinkSpec{.topic = sink.topic,
                                        .extract_topic = sink.extract_topic,
                                        .key = at.wire.key.serde,
                                        .value = at.wire.value.serde,
                                        .partition = sink.partition}});
  }
  NodeId place(OperatorId, const Known& at, const logical::Process& process) {
    return graph_.add(
        {.name = at.names.node, .parents = {in(at)}, .stores = process.stores, .make = process_node(process.make)});
  }
  NodeId place(OperatorId id, const Known& at, const logical::ToTable& table) {
    return add_table(id, at, table.store, behind_repartition(id, at));
  }

  // ---- tables
  NodeId place(OperatorId id, const Known& at, const logical::TableFilter& filter) {
    return graph_.add({.name = at.names.node,
                       .parents = {in(at)},
                       .stores = kept(id, at, filter.store),
                       .make = table_filter_node(kept_table(id, at), filter.keep, versioned(at))});
  }
  NodeId place(OperatorId id, const Known& at, const logical::TableMapValues& map) {
    return graph_.add({.name = at.names.node,
                       .parents = {in(at)},
                       .stores = kept(id, at, map.store),
                       .make = table_map_node(kept_table(id, at), map.map, at.out.value.type)});
  }
  // Whether the table that the operator reads is.
  [[nodiscard]] bool versioned(const Known& at, size_t which = 0) const {
    return rules_.versioned[at.given.inputs[which]];
  }
  // The store of a table that may have one.
  std::vector<std::string> kept(OperatorId id, const Known& at, const StoreSettings& settings) {
    if (!rules_.stored[id]) return {};
    graph_.add_store(key_value_store(at, settings));
    return {at.names.store};
  }
  [[nodiscard]] TableSpec kept_table(OperatorId id, const Known& at) const {
    return table_spec(rules_.stored[id] ? at.names.store : std::string(), at.stored, id);
  }
  NodeId place(OperatorId id, const Known& at, const logical::Suppress& suppress) {
    if (versioned(at)) {
      graph_.report(error(Code::invalid_argument,
                          "topology: suppress behind {}: the table is versioned, or made from one that is, and what is "
                          "held back would be told out of its order; keep the rows in a key-value store before",
                          plan_.input(at).names.node));
    }
    graph_.add_store({.name = at.names.store,
                      .supplier = [name = at.names.store](store::StoreKind) { return suppress_supplier(name); },
                      .logging = suppress.store.logging,
                      .topic_configs = suppress.store.topic_configs,
                      .types = at.stored});
    const int64_t wait_ms = suppress.time_limit ? suppress.time_limit->count() : grace_behind(plan_, id).value_or(0);
    return graph_.add({.name = at.names.node,
                       .parents = {in(at)},
                       .stores = {at.names.store},
                       .make = suppress_node(table_spec(at.names.store, at.stored), suppress, wait_ms)});
  }
  NodeId place(OperatorId, const Known& at, const logical::ToStream&) { return then(at, pass_through_node()); }

  // ---- groups and aggregations
  NodeId place(OperatorId, const Known& at, const logical::Group&) { return in(at); }
  NodeId place(OperatorId, const Known& at, const logical::TableGroup& group) {
    if (!versioned(at)) return then(at, stateless_node(group.apply));
    // Aggregates are of the latest versions (KIP-914).
    return then(at, stateless_node([apply = group.apply](const Row& row, Downstream& down) {
                  return row.is_latest ? apply(row, down) : Status();
                }));
  }
  NodeId place(OperatorId id, const Known& at, const logical::Aggregate& aggregate) {
    const NodeId from = behind_repartition(id, at);
    TableSpec table = table_spec(at.names.store, at.stored, id);
    graph_.add_store(aggregate_store(at, aggregate));
    return graph_.add({.name = at.names.node,
                       .parents = {from},
                       .stores = {at.names.store},
                       .make = aggregate_factory(std::move(table), aggregate)});
  }
  // One node for each group, on one store.
  NodeId place(OperatorId id, const Known& at, const logical::Cogroup& cogroup) {
    std::vector<NodeId> from;
    for (size_t i = 0; i < at.given.inputs.size(); ++i) {
      from.push_back(behind_repartition(in(at, i), at.names.repartition_groups[i], at.groups[i], false));
      if (i > 0) graph_.copartition(from.front(), from.back());
    }
    graph_.add_store(aggregate_store(at, cogroup.as));
    std::vector<NodeId> groups;
    for (size_t i = 0; i < from.size(); ++i) {
      logical::Aggregate aggregate = cogroup.as;
      aggregate.apply = cogroup.apply[i];
      groups.push_back(
          graph_.add({.name = at.names.groups[i],
                      .parents = {from[i]},
                      .stores = {at.names.store},
                      .make = aggregate_factory(table_spec(at.names.store, at.stored, id), std::move(aggregate))}));
    }
    return graph_.add({.name = at.names.node, .parents = std::move(groups), .make = pass_through_node()});
  }
  static NodeFactory aggregate_factory(TableSpec table, logical::Aggregate aggregate) {
    if (aggregate.sessions) return session_aggregate_node(std::move(table), std::move(aggregate));
    if (aggregate.sliding) return sliding_aggregate_node(std::move(table), std::move(aggregate));
    if (aggregate.windows) return window_aggregate_node(std::move(table), std::move(aggregate));
    return aggregate_node(std::move(table), std::move(aggregate));
  }
  StoreSpec aggregate_store(const Known& at, const logical::Aggregate& aggregate) {
    if (aggregate.sessions) return session_store(at, aggregate);
    return aggregate.by_window() ? window_store(at, aggregate) : key_value_store(at, aggregate.store);
  }
  NodeId place(OperatorId id, const Known& at, const logical::TableAggregate& aggregate) {
    repartition_[id] = at.shares_topic_of ? repartition_[*at.shares_topic_of] : add_change_topic(at);
    graph_.add_store(key_value_store(at, aggregate.store));
    return graph_.add({.name = at.names.node,
                       .parents = {repartition_[id]},
                       .stores = {at.names.store},
                       .make = table_aggregate_node(table_spec(at.names.store, at.stored, id), aggregate)});
  }

  // ---- joins
  NodeId place(OperatorId id, const Known& at, const logical::TableJoin& join) {
    const NodeId from = behind_repartition(id, at, join.left);
    const NodeId table = in(at, 1);
    graph_.copartition(from, table);
    std::vector<std::string> stores = rules_.look_up(plan_, at.given.inputs[1]);
    JoinedTable joined{.table = table, .left = join.left, .versioned = versioned(at, 1), .apply = join.apply};
    NodeFactory make;
    if (join.grace) {
      check_grace(at, *join.grace, stores);
      graph_.add_store(held_store(at));
      stores.insert(stores.begin(), at.names.store);
      make = patient_join_node(std::move(joined), table_spec(at.names.store, at.stored), join.grace->count());
    } else {
      make = table_join_node(std::move(joined));
    }
    return graph_.add({.name = at.names.node, .parents = {from}, .stores = std::move(stores), .make = std::move(make)});
  }
  // A record that has waited finds the rows of its time only in a table that still knows them.
  void check_grace(const Known& at, std::chrono::milliseconds grace, const std::vector<std::string>& stores) {
    const auto refuse = [&](std::string_view why) {
      graph_.report(error(Code::invalid_argument, "topology: join {} with a grace of {} ms: {}", at.names.node,
                          grace.count(), why));
    };
    if (!versioned(at, 1)) {
      return refuse(
          fmt::format("{} is not versioned, and knows the latest values alone; give it a versioned store "
                      "(Stores::persistent_versioned_key_value_store), or leave .grace out",
                      plan_.input(at, 1).names.node));
    }
    for (const std::string& name : stores) {
      const auto store = graph_.stores().find(name);
      if (store == graph_.stores().end()) continue;
      const auto history_ms = store::history_retention_ms(*store->second.supplier(store::StoreKind::rocksdb));
      if (history_ms && *history_ms < grace.count())
        refuse(fmt::format("store {} keeps a history of {} ms; it needs at least the grace", name, *history_ms));
    }
  }
  NodeId place(OperatorId, const Known& at, const logical::GlobalJoin& join) {
    const Known& table = plan_.input(at, 1);
    return then(at, global_join_node(table_spec(table.names.store, table.stored), join));
  }

  NodeId place(OperatorId, const Known& at, const logical::StreamJoin& join) {
    // Behind a join that tells what has no partner, records without key are told too, and must get there (KIP-962).
    const bool null_keys = join.kind != logical::JoinKind::inner;
    const NodeId left = behind_repartition(in(at), at.names.repartition, at.wire, null_keys);
    const NodeId right = behind_repartition(in(at, 1), at.names.repartition_right, at.right, null_keys);
    graph_.copartition(left, right);
    const auto window = [&](const std::string& name, NodeId from, const std::string& store, const TypedPair& types) {
      graph_.add_store(join_store(store, join, types));
      return graph_.add(
          {.name = name, .parents = {from}, .stores = {store}, .make = stream_window_node(table_spec(store, types))});
    };
    const NodeId left_window = window(at.names.window_left, left, at.names.store_left, at.stored);
    const NodeId right_window = window(at.names.window_right, right, at.names.store_right, at.right);
    if (!at.names.store.empty()) graph_.add_store(unmatched_store(at, join));
    const JoinedStreams streams{.join = join,
                                .left = table_spec(at.names.store_left, at.stored),
                                .right = table_spec(at.names.store_right, at.right),
                                .unmatched = at.names.store,
                                .out = at.out.value.type};
    const auto side = [&](const std::string& name, NodeId from, const std::string& other, std::optional<NodeId> of) {
      std::vector<std::string> stores{other};
      if (!at.names.store.empty()) stores.push_back(at.names.store);
      return graph_.add(
          {.name = name, .parents = {from}, .stores = std::move(stores), .make = stream_join_side_node(streams, of)});
    };
    const NodeId of_left = side(at.names.join_left, left_window, at.names.store_right, std::nullopt);
    const NodeId of_right = side(at.names.join_right, right_window, at.names.store_left, of_left);
    return graph_.add({.name = at.names.node, .parents = {of_left, of_right}, .make = pass_through_node()});
  }
  NodeId place(OperatorId id, const Known& at, const logical::TableTableJoin& join) {
    const NodeId left = in(at);
    const NodeId right = in(at, 1);
    graph_.copartition(left, right);
    const auto side = [&](const std::string& name, NodeId of, OperatorId other, bool is_left) {
      return graph_.add({.name = name,
                         .parents = {of},
                         .stores = rules_.look_up(plan_, other),
                         .make = table_join_side_node({.left = left,
                                                       .right = right,
                                                       .join = join,
                                                       .out = at.out.value.type,
                                                       .tells_old = rules_.tells_old[id],
                                                       .left_versioned = versioned(at),
                                                       .right_versioned = versioned(at, 1)},
                                                      is_left)});
    };
    const NodeId of_left = side(at.names.join_left, left, at.given.inputs[1], true);
    const NodeId of_right = side(at.names.join_right, right, at.given.inputs[0], false);
    TableSpec table = table_spec({}, at.stored, id);
    std::vector<std::string> stores;
    if (rules_.stored[id]) {
      table.store = at.names.store;
      stores.push_back(at.names.store);
      graph_.add_store(key_value_store(at, join.store));
    }
    return graph_.add({.name = at.names.node,
                       .parents = {of_left, of_right},
                       .stores = std::move(stores),
                       .make = joined_table_node(
                           std::move(table), {.left = left, .right = right, .join = join, .out = at.out.value.type})});
  }

  // Two topics between the tables, with what asks and what answers.
  NodeId place(OperatorId id, const Known& at, const logical::ForeignKeyJoin& join) {
    const ForeignKeyNames& names = at.names.foreign_key;
    const NodeId left = in(at);
    const NodeId right = in(at, 1);
    ForeignKeyTables tables{.left_node = left,
                            .right_node = right,
                            .left = at.wire,
                            .right = at.right,
                            .join = join,
                            .out = at.out.value.type,
                            .registration_topic = names.registration_topic,
                            .response_topic = names.response_topic,
                            .left_versioned = versioned(at),
                            .right_versioned = versioned(at, 1)};
    const auto add = [&](const std::string& name, std::vector<NodeId> parents, std::vector<std::string> stores,
                         NodeFactory (*make)(ForeignKeyTables)) {
      return graph_.add({.name = name,
                         .parents = std::move(parents),
                         .stores = std::move(stores),
                         .make = make(tables),
                         .serdes = {at.wire, at.right}});
    };
    const auto topic = [&](const std::string& name, const TypedSerde& key, const std::string& sink,
                           const std::string& source, std::vector<NodeId> from, ChoosePartition partition) {
      const TypedSerde letter{object_type<Letter>(), letter_serde()};
      graph_.add_repartition_topic({name, std::nullopt});
      return add_topic(std::move(from), {.topic = name, .sink = sink, .source = source}, {key, letter},
                       std::move(partition), false);
    };
    const NodeId ask = add(names.registration, {left}, {}, subscribe_node);
    const NodeId asked =
        topic(names.registration_topic, at.right.key, names.registration_sink, names.registration_source, {ask}, {});
    graph_.copartition(right, asked);
    tables.subscriptions = names.subscriptions;
    graph_.add_store({.name = names.subscriptions, .supplier = [name = names.subscriptions](store::StoreKind kind) {
                        return store::key_value_supplier({.name = name, .kind = kind});
                      }});
    const NodeId kept = add(names.receive, {asked}, {names.subscriptions}, keep_subscription_node);
    tables.subscriptions.clear();
    const NodeId answer = add(names.answer, {kept}, rules_.look_up(plan_, at.given.inputs[1]), answer_node);
    tables.subscriptions = names.subscriptions;
    const NodeId answer_all = add(names.answer_all, {right}, {names.subscriptions}, answer_all_node);
    tables.subscriptions.clear();
    const auto partition = [](const std::string&, const Row& row, int32_t) -> std::optional<int32_t> {
      const int32_t chosen = static_cast<const Letter*>(row.value)->partition;
      return chosen < 0 ? std::nullopt : std::optional(chosen);
    };
    const NodeId answered = topic(names.response_topic, at.wire.key, names.response_sink, names.response_source,
                                  {answer, answer_all}, partition);
    graph_.copartition(left, answered);
    const NodeId resolved = add(names.resolver, {answered}, rules_.look_up(plan_, at.given.inputs[0]), resolve_node);
    if (rules_.stored[id] && !at.stored.value.serde) {
      graph_.report(error(Code::invalid_argument,
                          "topology: no serde for the values of {}, which something looks up: name one in the options "
                          "of the join",
                          at.names.node));
    }
    return add_table(id, at, join.store, resolved);
  }

  // ---- what they have in common
  [[nodiscard]] NodeId in(const Known& at, size_t which = 0) const { return node_[at.given.inputs[which]]; }
  NodeId then(const Known& at, NodeFactory make) {
    return graph_.add({.name = at.names.node, .parents = {in(at)}, .make = std::move(make)});
  }

  // `of`: the table, if it is one.
  [[nodiscard]] TableSpec table_spec(std::string store, const TypedPair& types,
                                     std::optional<OperatorId> of = std::nullopt) const {
    return {std::move(store), types.key.type, types.value.type, of && rules_.tells_old[*of]};
  }
  static SourceSpec source_spec(const Known& at, const logical::Source& source) {
    return {.topics = source.topics,
            .types = at.wire,
            .timestamp = source.timestamp,
            .invalid_timestamp = source.invalid_timestamp,
            .reset = source.reset};
  }
  NodeId add_source(const std::string& name, const Known& at, const logical::Source& source) {
    return graph_.add({.name = name, .make = source_node(), .source = source_spec(at, source)});
  }
  // Of a stream or a table.
  [[nodiscard]] NodeId source_at(OperatorId id) const {
    const bool is_table = plan_.operators[id].shape == Shape::table;
    return is_table ? repartition_[id] : node_[id];
  }

  NodeId add_table(OperatorId id, const Known& at, const StoreSettings& settings, NodeId from) {
    TableSpec table = table_spec({}, at.stored, id);
    std::vector<std::string> stores;
    if (rules_.stored[id]) {
      graph_.add_store(key_value_store(at, settings));
      table.store = at.names.store;
      stores.push_back(at.names.store);
    }
    return graph_.add(
        {.name = at.names.node, .parents = {from}, .stores = std::move(stores), .make = table_node(std::move(table))});
  }

  // The operator's input, behind a repartition topic if its key changed since it was read.
  NodeId behind_repartition(OperatorId id, const Known& at, bool null_keys = false) {
    if (at.shares_topic_of) return repartition_[id] = repartition_[*at.shares_topic_of];
    if (at.names.repartition.topic.empty()) return in(at);
    return repartition_[id] = add_repartition(at, {.null_keys = null_keys});
  }
  NodeId behind_repartition(NodeId from, const RepartitionNames& names, const TypedPair& wire, bool null_keys) {
    return names.topic.empty() ? from : add_repartition(from, names, wire, {.null_keys = null_keys});
  }
  struct Through {
    std::optional<int32_t> partitions{};
    ChoosePartition partition{};
    bool null_keys = false;
  };
  NodeId add_repartition(const Known& at, Through through) {
    return add_repartition(in(at), at.names.repartition, at.wire, std::move(through));
  }
  NodeId add_repartition(NodeId from, const RepartitionNames& names, const TypedPair& wire, Through through) {
    graph_.add_repartition_topic({names.topic, through.partitions});
    const NodeId kept =
        graph_.add({.name = names.filter,
                    .parents = {from},
                    .make = stateless_node([null_keys = through.null_keys](const Row& row, Downstream& down) {
                      return row.key == nullptr && !null_keys ? Status() : down.forward(row);
                    })});
    return add_topic({kept}, names, wire, std::move(through.partition), false);
  }
  NodeId add_change_topic(const Known& at) {
    graph_.add_repartition_topic({at.names.repartition.topic, std::nullopt});
    return add_topic({in(at)}, at.names.repartition, at.wire, {}, true);
  }
  // Sink and source around a repartition topic; yields the source.
  NodeId add_topic(std::vector<NodeId> from, const RepartitionNames& names, const TypedPair& wire,
                   ChoosePartition partition, bool changes) {
    graph_.add({.name = names.sink,
                .parents = std::move(from),
                .make = sink_node(),
                .sink = SinkSpec{.topic = names.topic,
                                 .internal_topic = true,
                                 .key = wire.key.serde,
                                 .value = wire.value.serde,
                                 .partition = std::move(partition),
                                 .changes = changes}});
    return graph_.add(
        {.name = names.source,
         .make = source_node(),
         .source = SourceSpec{.topics = {names.topic}, .internal_topic = true, .types = wire, .changes = changes}});
  }

  // ---- stores
  StoreSpec key_value_store(const Known& at, const StoreSettings& settings) {
    return {.name = at.names.store,
            .supplier = supplier(settings, {&store::KeyValueStore::kFacet, &store::VersionedStore::kFacet},
                                 [name = at.names.store](store::StoreKind kind) {
                                   return store::key_value_supplier({.name = name, .kind = kind});
                                 }),
            .logging = settings.logging,
            .caching = settings.caching,
            .topic_configs = settings.topic_configs,
            .types = at.stored};
  }
  StoreSpec window_store(const Known& at, const logical::Aggregate& aggregate) {
    const int64_t size_ms = aggregate.sliding ? aggregate.sliding->difference.count() : aggregate.windows->size_ms();
    const int64_t grace_ms = aggregate.sliding ? aggregate.sliding->grace_ms() : aggregate.windows->grace_ms();
    // A record looks for windows that ended as long before it as they are.
    const int64_t needed_ms = aggregate.sliding ? 2 * size_ms : size_ms;
    const int64_t keep_ms = needed_ms > INT64_MAX - grace_ms ? INT64_MAX : needed_ms + grace_ms;
    const EmitStrategy emit = aggregate.sliding ? aggregate.sliding->emit : aggregate.windows->emit();
    const StoreSettings& settings = aggregate.store;
    const int64_t retention_ms = settings.retention ? settings.retention->count() : keep_ms;
    if (retention_ms < keep_ms) {
      graph_.report(error(Code::invalid_argument,
                          "topology: store {}: retention {} ms below window size and grace, {} ms", at.names.store,
                          retention_ms, keep_ms));
    }
    return {.name = at.names.store,
            .supplier =
                supplier(settings, {&store::WindowStore::kFacet},
                         [=, name = at.names.store](store::StoreKind kind) {
                           return store::window_supplier(
                               {.name = name, .kind = kind, .window_size_ms = size_ms, .retention_ms = retention_ms});
                         }),
            .logging = settings.logging,
            // Closed windows are read from the store, and told once anyway.
            .caching = settings.caching && emit != EmitStrategy::on_window_close,
            .topic_configs = settings.topic_configs,
            .types = at.stored};
  }
  StoreSpec session_store(const Known& at, const logical::Aggregate& aggregate) {
    const StoreSettings& settings = aggregate.store;
    const int64_t gap_ms = aggregate.sessions->gap.count();
    const int64_t grace_ms = aggregate.sessions->grace_ms();
    const int64_t keep_ms = gap_ms > INT64_MAX - grace_ms ? INT64_MAX : gap_ms + grace_ms;
    const int64_t retention_ms = settings.retention ? settings.retention->count() : keep_ms;
    if (retention_ms < keep_ms) {
      graph_.report(error(Code::invalid_argument, "topology: store {}: retention {} ms below gap and grace, {} ms",
                          at.names.store, retention_ms, keep_ms));
    }
    return {.name = at.names.store,
            .supplier =
                supplier(settings, {&store::SessionStore::kFacet},
                         [=, name = at.names.store](store::StoreKind kind) {
                           return store::session_supplier({.name = name, .kind = kind, .retention_ms = retention_ms});
                         }),
            .logging = settings.logging,
            .topic_configs = settings.topic_configs,
            .types = at.stored};
  }
  // Every record of one side, for as long as one of the other side may meet it.
  StoreSpec join_store(const std::string& name, const logical::StreamJoin& join, const TypedPair& types) {
    const int64_t size_ms = join.windows.size_ms();
    const int64_t grace_ms = join.windows.grace_ms();
    const int64_t retention_ms = size_ms > INT64_MAX - grace_ms ? INT64_MAX : size_ms + grace_ms;
    return {.name = name,
            .supplier = chosen_kind(join.store,
                                    [=](store::StoreKind kind) {
                                      return store::window_supplier({.name = name,
                                                                     .kind = kind,
                                                                     .format = store::ValueFormat::plain,
                                                                     .window_size_ms = size_ms,
                                                                     .retention_ms = retention_ms,
                                                                     .retain_duplicates = true});
                                    }),
            .logging = join.store.logging,
            .topic_configs = join.store.topic_configs,
            .types = types};
  }
  StoreSpec unmatched_store(const Known& at, const logical::StreamJoin& join) {
    return {.name = at.names.store,
            .supplier = chosen_kind(join.store,
                                    [name = at.names.store](store::StoreKind kind) {
                                      return store::key_value_supplier(
                                          {.name = name, .kind = kind, .format = store::ValueFormat::plain});
                                    }),
            .logging = join.store.logging,
            .topic_configs = join.store.topic_configs};
  }
  // What waits before a join with a versioned table.
  static StoreSpec held_store(const Known& at) {
    return {.name = at.names.store,
            .supplier =
                [name = at.names.store](store::StoreKind kind) {
                  return store::key_value_supplier({.name = name, .kind = kind, .format = store::ValueFormat::plain});
                },
            .types = at.stored};
  }
  static ChooseSupplier chosen_kind(const StoreSettings& settings, ChooseSupplier built_in) {
    if (!settings.kind) return built_in;
    return [given = built_in(*settings.kind)](store::StoreKind) { return given; };
  }
  // The program's, which must be of a kind that the operator can use, or one of the library's.
  ChooseSupplier supplier(const StoreSettings& settings, const std::vector<const store::StoreFacet*>& usable,
                          ChooseSupplier built_in) {
    if (settings.supplier) {
      const auto fits = [&](const store::StoreFacet* facet) { return settings.supplier->provides(*facet); };
      if (std::none_of(usable.begin(), usable.end(), fits)) {
        graph_.report(error(Code::invalid_argument, "topology: store {}: its supplier makes no {} store",
                            settings.supplier->name(), usable.front()->name));
      }
      return [own = settings.supplier](store::StoreKind) { return own; };
    }
    return chosen_kind(settings, std::move(built_in));
  }
  void place_store(const LogicalStore& store) {
    graph_.add_store({.name = store.supplier->name(),
                      .supplier = [own = store.supplier](store::StoreKind) { return own; },
                      .logging = store.logging,
                      .caching = store.caching,
                      .topic_configs = store.topic_configs,
                      .types = {{store.types.key, store.serdes.key}, {store.types.value, store.serdes.value}}});
  }

  const LogicalPlan& plan_;
  const TableRules& rules_;
  Graph& graph_;
  std::vector<NodeId> node_;         // by operator: the node whose rows it yields
  std::vector<NodeId> repartition_;  // by operator: the source of the topic before it
};

}  // namespace

std::shared_ptr<Graph> make_graph(LogicalPlan plan) {
  auto graph = std::make_shared<Graph>();
  const TableRules rules = decide_tables(plan);
  graph->report(plan.mistake);
  graph->keep(plan.types);
  if (plan.mistake.ok()) Physical(plan, rules, *graph).place_all();
  return graph;
}

}  // namespace muir::streams::internal
