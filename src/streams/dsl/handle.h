// What the DSL's handles (KStream, KTable, ...) are made of: an operator of a topology under construction.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "serde/serde.h"
#include "streams/topology_builder.h"

namespace muir::streams::internal {

// For overloads that exist to be explained by a static_assert: false, but only once they are called.
template <class...>
inline constexpr bool kNever = false;

// An operator but for its kind and inputs.
struct Head {
  std::string name{};
  TypePair takes{};
  Keeps keeps = Keeps::nothing;
  TypePair yields{};
  SerdePair serdes{};
};

// TopologyBuilder::add() for each kind. Defined out of sight of the DSL's templates, which would else spend most of
// their compile time on the variant of all kinds.
template <class Kind>
OperatorId add_operator(TopologyBuilder& builder, std::vector<OperatorId> inputs, Head head, Kind kind);

// Two words; copies name the same operator. Valid as long as the StreamsBuilder that it came from. Not thread-safe.
class Handle {
 public:
  Handle(TopologyBuilder& builder, OperatorId id) : builder_(&builder), id_(id) {}
  // The operator's name, as describe() prints it.
  [[nodiscard]] const std::string& name() const { return builder_->name(id_); }

 protected:
  // Adds an operator behind this one, and `other` where it takes two.
  template <class Kind>
  OperatorId then(Head head, Kind kind) const {
    return add_operator(*builder_, {id_}, std::move(head), std::move(kind));
  }
  template <class Kind>
  OperatorId then(const Handle& other, Head head, Kind kind) const {
    return together(other) ? add_operator(*builder_, {id_, other.id_}, std::move(head), std::move(kind)) : kNoOperator;
  }
  // Adds an aggregation of rows of `takes` into a table of `yields`, with the store that the options name.
  template <class Kind, class K, class A>
  OperatorId aggregated(TypePair takes, TypePair yields, Kind aggregate, const Materialized<K, A>& options) const;

  // False, with a mistake: the other one is of another topology, where its id means something else.
  [[nodiscard]] bool together(const Handle& other) const;

  TopologyBuilder* builder_;
  OperatorId id_;
};

// Prints a row's text, "key, value".
using PrintText = std::function<std::string(const Row& row)>;
// What prints rows so; a file that cannot be written is a mistake of the topology.
Apply print_rows(TopologyBuilder& builder, const Printed& options, const std::string& parent, PrintText text);

template <class K, class V>
constexpr TypePair types() {
  return {object_type<K>(), object_type<V>()};
}
// Of an operator that passes on one half: only the other one's type is asked for.
template <class K>
constexpr TypePair key_type() {
  return {object_type<K>(), nullptr};
}
template <class V>
constexpr TypePair value_type() {
  return {nullptr, object_type<V>()};
}

template <class Options>
SerdePair serdes(const Options& options) {
  return {options.key.erased(), options.value.erased()};
}

// Keys and values that are read from bytes.
template <class... T>
constexpr void stored() {
  static_assert((std::is_default_constructible_v<T> && ...),
                "keys and values that are read from bytes need a default constructor");
}

template <class K, class V>
StoreSettings store_settings(const Materialized<K, V>& options) {
  stored<K, V>();
  return {.name = options.store,
          .supplier = options.supplier,
          .kind = options.kind,
          .logging = options.logging,
          .caching = options.caching,
          .retention = options.retention,
          .topic_configs = options.topic_configs};
}

template <class Kind, class K, class A>
OperatorId Handle::aggregated(TypePair takes, TypePair yields, Kind aggregate,
                              const Materialized<K, A>& options) const {
  aggregate.store = store_settings(options);
  return then({.name = options.name, .takes = takes, .yields = yields, .serdes = serdes(options)},
              std::move(aggregate));
}

}  // namespace muir::streams::internal
