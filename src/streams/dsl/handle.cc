#include "streams/dsl/handle.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

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

Apply print_rows(TopologyBuilder& builder, const Printed& options, const std::string& parent, PrintText text) {
  // Shared by the tasks, whose lines stay whole: one call writes each.
  std::shared_ptr<std::FILE> out(stdout, [](std::FILE*) {});
  if (!options.file.empty()) {
    if (std::FILE* opened = std::fopen(options.file.c_str(), "w"); opened != nullptr) {
      out.reset(opened, [](std::FILE* file) { (void)std::fclose(file); });
    } else {
      builder.mistake(error(Code::io_error, "topology: print behind {}: cannot write {}: {}", parent, options.file,
                            std::strerror(errno)));
    }
  }
  const std::string label = options.label.empty() ? parent : options.label;
  return [out, label, text = std::move(text)](const Row& row, Downstream&) -> Status {
    const std::string line = fmt::format("[{}]: {}\n", label, text(row));
    const bool written = std::fwrite(line.data(), 1, line.size(), out.get()) == line.size();
    if (written && std::fflush(out.get()) == 0) return {};
    return error(Code::io_error, "print [{}]: {}", label, std::strerror(errno));
  };
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
MUIR_OPERATOR(Suppress);
MUIR_OPERATOR(ToStream);
MUIR_OPERATOR(Group);
MUIR_OPERATOR(TableGroup);
MUIR_OPERATOR(Aggregate);
MUIR_OPERATOR(Cogroup);
MUIR_OPERATOR(TableAggregate);
MUIR_OPERATOR(TableJoin);
MUIR_OPERATOR(GlobalJoin);
MUIR_OPERATOR(StreamJoin);
MUIR_OPERATOR(TableTableJoin);
MUIR_OPERATOR(ForeignKeyJoin);
#undef MUIR_OPERATOR

}  // namespace muir::streams::internal
