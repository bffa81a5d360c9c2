// The templates of KStream::split, BranchedKStream and Branches.
#pragma once

#include "streams/dsl/kstream_inl.h"

namespace muir::streams {

template <class K, class V>
BranchedKStream<K, V> KStream<K, V>::split(Named named) const {
  return BranchedKStream<K, V>(*builder_, then({.name = named.name}, logical::Split{}));
}

template <class K, class V>
template <class F>
BranchedKStream<K, V>& BranchedKStream<K, V>::branch(F holds, Branched options) {
  MUIR_NEEDS_PREDICATE("branch");
  if constexpr (internal::RowFunction<F, K, V>) add(internal::predicate<K, V>(std::move(holds)), options.name);
  return *this;
}

template <class K, class V>
Branches<K, V> BranchedKStream<K, V>::default_branch(Branched options) {
  add({}, options.name);
  return branches_;
}

template <class K, class V>
void BranchedKStream<K, V>::add(Predicate holds, const std::string& name) {
  const KStream<K, V> branch(*builder_,
                             then({.name = name, .takes = internal::types<K, V>()}, logical::Branch{std::move(holds)}));
  branches_.streams_.emplace(branch.name(), branch);
}

template <class K, class V>
KStream<K, V> Branches<K, V>::at(const std::string& name) const {
  const auto found = streams_.find(name);
  if (found != streams_.end()) return found->second;
  std::string known;
  for (const auto& [other, stream] : streams_) known += (known.empty() ? "" : ", ") + other;
  builder_->mistake(
      error(Code::not_found, "topology: there is no branch '{}'; there are: {}", name, known.empty() ? "none" : known));
  return KStream<K, V>(*builder_, kNoOperator);
}

}  // namespace muir::streams
