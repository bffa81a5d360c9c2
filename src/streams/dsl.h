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

#include "streams/cogrouped.h"
#include "streams/grouped.h"
#include "streams/kstream.h"
#include "streams/ktable.h"
#include "streams/topology.h"

namespace muir::streams {

// Owned by one thread; outlives the handles it gave out.
class StreamsBuilder {
 public:
  StreamsBuilder() = default;
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
  template <class K, class V>
  void add_state_store(VersionedKeyValueStoreBuilder<K, V> store);
  void add_state_store(StoreBuilder store);

  // The topology, or the first mistake in it.
  [[nodiscard]] Result<Topology> build() const { return builder_.build(); }
  // What the DSL's operators are added to; for operators of one's own.
  [[nodiscard]] TopologyBuilder& operators() { return builder_; }

 private:
  template <class K, class V>
  static logical::Source source(std::vector<std::string> topics, const Consumed<K, V>& options);

  TopologyBuilder builder_;
};

template <class K, class V>
logical::Source StreamsBuilder::source(std::vector<std::string> topics, const Consumed<K, V>& options) {
  internal::stored<K, V>();
  return {.topics = std::move(topics),
          .timestamp = internal::extract_timestamps(options.timestamp),
          .reset = options.reset,
          .invalid_timestamp = options.invalid_timestamp};
}

template <class K, class V>
KStream<K, V> StreamsBuilder::stream(const std::vector<std::string>& topics, Consumed<K, V> options) {
  return KStream<K, V>(
      builder_,
      internal::add_operator(
          builder_, {}, {.name = options.name, .yields = internal::types<K, V>(), .serdes = internal::serdes(options)},
          source(topics, options)));
}

template <class K, class V>
KTable<K, V> StreamsBuilder::table(const std::string& topic, Consumed<K, V> consumed, Materialized<K, V> options) {
  return KTable<K, V>(
      builder_,
      internal::add_operator(
          builder_, {}, {.name = consumed.name, .yields = internal::types<K, V>(), .serdes = internal::serdes(options)},
          logical::TableSource{source({topic}, consumed), internal::serdes(consumed),
                               internal::store_settings(options)}));
}

template <class K, class V>
GlobalKTable<K, V> StreamsBuilder::global_table(const std::string& topic, Consumed<K, V> consumed,
                                                Materialized<K, V> options) {
  return GlobalKTable<K, V>(
      builder_, internal::add_operator(
                    builder_, {},
                    {.name = consumed.name, .yields = internal::types<K, V>(), .serdes = internal::serdes(consumed)},
                    logical::GlobalTable{source({topic}, consumed), internal::store_settings(options)}));
}

template <class K, class V>
void StreamsBuilder::add_state_store(KeyValueStoreBuilder<K, V> store) {
  internal::stored<K, V>();
  builder_.add_store(
      {.types = internal::types<K, V>(),
       .serdes = internal::serdes(store),
       .supplier = store::key_value_supplier({.name = store.name, .kind = store.kind, .format = store.format}),
       .logging = store.logging,
       .caching = store.caching,
       .topic_configs = store.topic_configs});
}

template <class K, class V>
void StreamsBuilder::add_state_store(WindowStoreBuilder<K, V> store) {
  internal::stored<K, V>();
  builder_.add_store({.types = internal::types<K, V>(),
                      .serdes = internal::serdes(store),
                      .supplier = store::window_supplier({.name = store.name,
                                                          .kind = store.kind,
                                                          .format = store.format,
                                                          .window_size_ms = store.window_size.count(),
                                                          .retention_ms = store.retention.count()}),
                      .logging = store.logging,
                      .caching = store.caching,
                      .topic_configs = store.topic_configs});
}

template <class K, class V>
void StreamsBuilder::add_state_store(VersionedKeyValueStoreBuilder<K, V> store) {
  internal::stored<K, V>();
  builder_.add_store({.types = internal::types<K, V>(),
                      .serdes = internal::serdes(store),
                      .supplier = Stores::persistent_versioned_key_value_store(store.name, store.history_retention,
                                                                               store.segment_interval),
                      .logging = store.logging,
                      .topic_configs = store.topic_configs});
}

inline void StreamsBuilder::add_state_store(StoreBuilder store) {
  builder_.add_store({.supplier = std::move(store.supplier),
                      .logging = store.logging,
                      .caching = store.caching,
                      .topic_configs = std::move(store.topic_configs)});
}

}  // namespace muir::streams
