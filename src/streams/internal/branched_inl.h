// The templates of KStream::split and BranchedKStream.
#pragma once

#include "streams/internal/kstream_inl.h"

namespace muir::streams {

template <class K, class V>
BranchedKStream<K, V> KStream<K, V>::split(Named named) const {
  return BranchedKStream<K, V>(*this, graph_->name_or(named.name, "KSTREAM-BRANCH-"));
}

template <class K, class V>
BranchedKStream<K, V>::BranchedKStream(const KStream<K, V>& from, const std::string& name)
    : graph_(&internal::HandleAccess::graph(from)), predicates_(std::make_shared<std::vector<internal::Predicate>>()) {
  const internal::NodeId parent = internal::HandleAccess::node(from);
  const internal::GraphNode& above = graph_->at(parent);
  splitter_ = graph_->add({.name = name,
                           .parents = {parent},
                           .make = internal::branch_node(predicates_),
                           .repartition_required = above.repartition_required,
                           .key_serde = above.key_serde,
                           .value_serde = above.value_serde});
}

template <class K, class V>
template <class F>
BranchedKStream<K, V>& BranchedKStream<K, V>::branch(F holds, Branched options) {
  MUIR_NEEDS_ROW_FUNCTION("branch", "bool");
  ++position_;
  add(
      [holds = std::move(holds)](const internal::Row& row) mutable {
        return internal::callable_with<F, K, V>(row) && static_cast<bool>(internal::call<K, V>(holds, row));
      },
      options.name.empty() ? std::to_string(position_) : options.name);
  return *this;
}

template <class K, class V>
std::map<std::string, KStream<K, V>> BranchedKStream<K, V>::default_branch(Branched options) {
  add([](const internal::Row&) { return true; }, options.name.empty() ? "0" : options.name);
  return branches_;
}

template <class K, class V>
void BranchedKStream<K, V>::add(internal::Predicate holds, const std::string& name) {
  graph_->generate_name("");  // a branch spends an index, whatever it is called
  predicates_->push_back(std::move(holds));
  const internal::GraphNode& splitter = graph_->at(splitter_);
  const std::string full_name = splitter.name + name;
  const internal::NodeId child = graph_->add({.name = full_name,
                                              .parents = {splitter_},
                                              .make = internal::pass_through_node(),
                                              .repartition_required = splitter.repartition_required,
                                              .key_serde = splitter.key_serde,
                                              .value_serde = splitter.value_serde});
  branches_.emplace(full_name, KStream<K, V>(*graph_, child));
}

}  // namespace muir::streams
