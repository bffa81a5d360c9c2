// The DSL of Muir Streams: a topology as a program reads it, under Kafka Streams' names.
//
//   StreamsBuilder builder;
//   builder.stream<std::string, std::string>("lines")
//       .flat_map_values(split_words)
//       .group_by(std::identity(), {.name = "by-word"})
//       .count({.store = "counts"})
//       .to_stream()
//       .to("word-counts");
//   Topology topology = *builder.build();
//
// Serdes follow from the types (see serde/serde.h) unless an operator's options name others.
#pragma once

#include <string>
#include <vector>

#include "streams/grouped.h"
#include "streams/kstream.h"
#include "streams/ktable.h"
#include "streams/topology.h"

namespace muir::streams {

// Owned by one thread; outlives the handles it gave out.
class StreamsBuilder {
 public:
  StreamsBuilder() : graph_(std::make_shared<internal::Graph>()) {}
  StreamsBuilder(const StreamsBuilder&) = delete;
  StreamsBuilder& operator=(const StreamsBuilder&) = delete;

  template <class K, class V>
  KStream<K, V> stream(const std::string& topic, Consumed<K, V> options = {}) {
    return stream<K, V>(std::vector<std::string>{topic}, std::move(options));
  }
  template <class K, class V>
  KStream<K, V> stream(const std::vector<std::string>& topics, Consumed<K, V> options = {});
  template <class K, class V>
  KTable<K, V> table(const std::string& topic, Consumed<K, V> consumed = {}, Materialized<K, V> options = {});
  template <class K, class V>
  GlobalKTable<K, V> global_table(const std::string& topic, Consumed<K, V> consumed = {},
                                  Materialized<K, V> options = {});

  // A store for processors that name it.
  template <class K, class V>
  void add_state_store(KeyValueStoreBuilder<K, V> store);
  template <class K, class V>
  void add_state_store(WindowStoreBuilder<K, V> store);

  // The topology, or the first mistake in it. Ends the building.
  Result<Topology> build();

 private:
  template <class K, class V>
  internal::SourceSpec source_spec(const std::vector<std::string>& topics, const Consumed<K, V>& options);
  // Yields the node that already reads these topics, or a new one.
  internal::NodeId add_source(const std::string& name, internal::SourceSpec spec);

  // Shared with the topology that build() returns.
  std::shared_ptr<internal::Graph> graph_;
};

template <class K, class V>
internal::SourceSpec StreamsBuilder::source_spec(const std::vector<std::string>& topics,
                                                 const Consumed<K, V>& options) {
  const std::string what = topics.empty() ? std::string("stream") : "topic " + topics.front();
  internal::SourceSpec spec{.topics = topics,
                            .types = {internal::choose_serde(*graph_, options.key, nullptr, what + " key"),
                                      internal::choose_serde(*graph_, options.value, nullptr, what + " value")},
                            .invalid_timestamp = options.invalid_timestamp,
                            .reset = options.reset};
  if (options.timestamp) {
    spec.timestamp = [extract = options.timestamp](const internal::Row& row, int64_t partition_time_ms) {
      return extract(
          Record<K, V>{static_cast<const K*>(row.key), static_cast<const V*>(row.value), row.timestamp_ms, row.headers},
          partition_time_ms);
    };
  }
  return spec;
}

template <class K, class V>
KStream<K, V> StreamsBuilder::stream(const std::vector<std::string>& topics, Consumed<K, V> options) {
  const std::string name = graph_->name_or(options.name, "KSTREAM-SOURCE-");
  return KStream<K, V>(*graph_, add_source(name, source_spec(topics, options)));
}

template <class K, class V>
KTable<K, V> StreamsBuilder::table(const std::string& topic, Consumed<K, V> consumed, Materialized<K, V> options) {
  const bool asked = !options.store.empty();
  if (!asked) options.store = graph_->generate_name(topic + "-STATE-STORE-");
  const std::string source_name =
      graph_->name_or(consumed.name.empty() ? "" : consumed.name + "-source", "KSTREAM-SOURCE-");
  const std::string table_name = graph_->name_or(consumed.name, "KTABLE-SOURCE-");
  const internal::SourceSpec source = source_spec(std::vector<std::string>{topic}, consumed);
  const internal::TypedPair types{
      internal::choose_serde(*graph_, options.key, source.types.key.serde, topic + " key"),
      internal::choose_serde(*graph_, options.value, source.types.value.serde, topic + " value")};
  internal::StoreSpec store{.options = store::KeyValueStoreOptions{.name = options.store, .kind = options.kind},
                            .logging = options.logging,
                            .topic_configs = options.topic_configs,
                            .types = types};
  const internal::NodeId table = graph_->add({.name = table_name,
                                              .parents = {add_source(source_name, source)},
                                              .make = internal::table_node(types),
                                              .key_serde = types.key.serde,
                                              .value_serde = types.value.serde,
                                              .lazy_store = std::move(store),
                                              .can_look_up = true});
  if (asked) graph_->require_look_up(table);
  return KTable<K, V>(*graph_, table);
}

template <class K, class V>
GlobalKTable<K, V> StreamsBuilder::global_table(const std::string& topic, Consumed<K, V> consumed,
                                                Materialized<K, V> options) {
  if (options.store.empty()) options.store = graph_->generate_name(topic + "-STATE-STORE-");
  const std::string source_name = graph_->generate_name("KSTREAM-SOURCE-");
  const std::string table_name = graph_->name_or(consumed.name, "KTABLE-SOURCE-");
  internal::SourceSpec source = source_spec(std::vector<std::string>{topic}, consumed);
  source.reset = Reset::earliest;
  const internal::TypedPair types = source.types;
  graph_->add_store({.options = store::KeyValueStoreOptions{.name = options.store, .kind = options.kind},
                     .logging = false,
                     .source_topic = topic,
                     .types = types});
  const internal::NodeId from =
      graph_->add({.name = source_name, .make = internal::source_node(), .source = std::move(source), .global = true});
  graph_->add({.name = table_name,
               .parents = {from},
               .stores = {options.store},
               .make = internal::table_node(types),
               .global = true});
  return GlobalKTable<K, V>(options.store, types);
}

template <class K, class V>
void StreamsBuilder::add_state_store(KeyValueStoreBuilder<K, V> store) {
  graph_->add_store(
      {.options = store::KeyValueStoreOptions{.name = store.name, .kind = store.kind, .format = store.format},
       .logging = store.logging,
       .topic_configs = store.topic_configs,
       .types = {internal::choose_serde(*graph_, store.key, nullptr, store.name + " key"),
                 internal::choose_serde(*graph_, store.value, nullptr, store.name + " value")}});
}

template <class K, class V>
void StreamsBuilder::add_state_store(WindowStoreBuilder<K, V> store) {
  graph_->add_store({.options = store::WindowStoreOptions{.name = store.name,
                                                          .kind = store.kind,
                                                          .format = store.format,
                                                          .window_size_ms = store.window_size.count(),
                                                          .retention_ms = store.retention.count()},
                     .logging = store.logging,
                     .topic_configs = store.topic_configs,
                     .types = {internal::choose_serde(*graph_, store.key, nullptr, store.name + " key"),
                               internal::choose_serde(*graph_, store.value, nullptr, store.name + " value")}});
}

}  // namespace muir::streams
