#include "streams/dsl/handle.h"

namespace muir::streams::internal {

bool Handle::together(const Handle& other) const {
  if (builder_ == other.builder_) return true;
  Status mistake =
      error(Code::invalid_argument, "topology: {} and {} belong to different StreamsBuilders; make both with one",
            name(), other.name());
  other.builder_->mistake(mistake);
  builder_->mistake(std::move(mistake));
  return false;
}

template <class Kind>
OperatorId add_operator(TopologyBuilder& builder, std::vector<OperatorId> inputs, Head head, Kind kind) {
  return builder.add({.name = std::move(head.name),
                      .inputs = std::move(inputs),
                      .takes = head.takes,
                      .keeps = head.keeps,
                      .yields = head.yields,
                      .serdes = std::move(head.serdes),
                      .kind = std::move(kind)});
}

#define MUIR_OPERATOR(kind) \
  template OperatorId add_operator(TopologyBuilder&, std::vector<OperatorId>, Head, logical::kind)
MUIR_OPERATOR(Source);
MUIR_OPERATOR(TableSource);
MUIR_OPERATOR(GlobalTable);
MUIR_OPERATOR(Stateless);
MUIR_OPERATOR(Split);
MUIR_OPERATOR(Branch);
MUIR_OPERATOR(Merge);
MUIR_OPERATOR(Repartition);
MUIR_OPERATOR(Sink);
MUIR_OPERATOR(Process);
MUIR_OPERATOR(ToTable);
MUIR_OPERATOR(TableFilter);
MUIR_OPERATOR(TableMapValues);
MUIR_OPERATOR(ToStream);
MUIR_OPERATOR(Group);
MUIR_OPERATOR(TableGroup);
MUIR_OPERATOR(Aggregate);
MUIR_OPERATOR(TableAggregate);
MUIR_OPERATOR(TableJoin);
MUIR_OPERATOR(GlobalJoin);
MUIR_OPERATOR(StreamJoin);
MUIR_OPERATOR(TableTableJoin);
#undef MUIR_OPERATOR

}  // namespace muir::streams::internal
