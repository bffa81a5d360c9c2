#include "streams/dsl.h"

namespace muir::streams {

internal::NodeId StreamsBuilder::add_source(const std::string& name, internal::SourceSpec spec) {
  // Kafka merges sources of the same topics; the first one's settings stand.
  if (const auto same = graph_->source_of(spec.topics)) {
    const internal::TypedPair& types = graph_->at(*same).source->types;
    if (types.key.type != spec.types.key.type || types.value.type != spec.types.value.type) {
      graph_->mistake(
          error(Code::invalid_argument, "topology: topic {} is read with two different types", spec.topics.front()));
    }
    return *same;
  }
  const internal::TypedPair types = spec.types;
  return graph_->add({.name = name,
                      .make = internal::source_node(),
                      .source = std::move(spec),
                      .key_serde = types.key.serde,
                      .value_serde = types.value.serde});
}

Result<Topology> StreamsBuilder::build() {
  MUIR_RETURN_IF_ERROR(graph_->finish());
  return Topology(graph_);
}

}  // namespace muir::streams
