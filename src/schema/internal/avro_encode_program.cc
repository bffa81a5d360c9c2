#include "schema/internal/avro_encode_program.h"

#include <map>

#include "schema/internal/avro_places.h"

namespace muir::schema::avro::internal {
namespace {

class Compiler {
 public:
  Compiler(EncodeProgram& program, const Places& places) : program_(program), places_(places) {}

  uint32_t compile(const Schema& schema, const void* place) {
    const auto key = std::make_pair(&schema, place);
    if (const auto found = memo_.find(key); found != memo_.end()) return found->second;
    // The node exists before its children, so that recursive types refer to it.
    const auto index = static_cast<uint32_t>(program_.nodes.size());
    program_.nodes.emplace_back();
    memo_.emplace(key, index);
    EncodeNode node = make(schema, place);
    node.place = place;
    program_.nodes[index] = node;
    return index;
  }

 private:
  EncodeNode make(const Schema& schema, const void* place) {
    const Convert convert = places_.convert(place);
    switch (schema.type) {
      case Type::null: return {.op = EncodeOp::nothing};
      case Type::boolean: return {.op = EncodeOp::boolean};
      case Type::int32:
        return {.op = convert == Convert::int8    ? EncodeOp::int8
                      : convert == Convert::int16 ? EncodeOp::int16
                                                  : EncodeOp::int32};
      case Type::int64: return {.op = EncodeOp::int64};
      case Type::float32: return {.op = EncodeOp::float32};
      case Type::float64: return {.op = EncodeOp::float64};
      case Type::string: return {.op = convert == Convert::uuid ? EncodeOp::uuid : EncodeOp::bytes};
      case Type::bytes: return {.op = convert == Convert::decimal ? EncodeOp::decimal : EncodeOp::bytes};
      case Type::fixed:
        return {.op = convert == Convert::decimal ? EncodeOp::fixed_decimal
                      : convert == Convert::uuid  ? EncodeOp::fixed_uuid
                                                  : EncodeOp::fixed,
                .size = schema.size};
      case Type::enumeration:
        return {.op = EncodeOp::enumeration, .count = static_cast<uint32_t>(schema.symbols.size())};
      case Type::record: return make_record(schema, place);
      case Type::array:
      case Type::map:
        return {.op = schema.type == Type::array ? EncodeOp::array : EncodeOp::map,
                .child = compile(*schema.element, places_.element(place, schema.type))};
      case Type::union_of: return make_union(schema, place);
    }
    return {};
  }

  EncodeNode make_record(const Schema& schema, const void* place) {
    std::vector<EncodeStep> steps;
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      const auto part = places_.field(place, i);
      steps.push_back({.node = compile(*schema.fields[i].schema, part.place), .slot = part.slot});
    }
    const auto first = static_cast<uint32_t>(program_.steps.size());
    program_.steps.insert(program_.steps.end(), steps.begin(), steps.end());
    return {.op = EncodeOp::record, .first = first, .count = static_cast<uint32_t>(steps.size())};
  }

  EncodeNode make_union(const Schema& schema, const void* place) {
    const int null_branch = null_branch_of(schema);
    std::vector<EncodeBranch> branches;
    for (size_t i = 0; i < schema.branches.size(); ++i) {
      if (static_cast<int>(i) == null_branch) continue;
      const auto part = places_.branch(place, schema, i);
      branches.push_back({.node = compile(*schema.branches[i], part.place), .branch = static_cast<int32_t>(i)});
    }
    if (is_optional(schema)) {
      return {
          .op = EncodeOp::option, .child = branches[0].node, .null_branch = null_branch, .branch = branches[0].branch};
    }
    const auto first = static_cast<uint32_t>(program_.branches.size());
    program_.branches.insert(program_.branches.end(), branches.begin(), branches.end());
    return {.op = EncodeOp::choice,
            .first = first,
            .count = static_cast<uint32_t>(branches.size()),
            .null_branch = null_branch};
  }

  EncodeProgram& program_;
  const Places& places_;
  std::map<std::pair<const Schema*, const void*>, uint32_t> memo_;
};

}  // namespace

std::shared_ptr<const EncodeProgram> compile_encoder(const Schema& schema, const Places& places) {
  auto program = std::make_shared<EncodeProgram>();
  program->root = Compiler(*program, places).compile(schema, places.root());
  return program;
}

}  // namespace muir::schema::avro::internal
