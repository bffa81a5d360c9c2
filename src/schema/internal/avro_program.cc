#include "schema/internal/avro_program.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "schema/avro_default.h"
#include "schema/internal/avro_match.h"

namespace muir::schema::avro::internal {
namespace {

// Pairs of recursive schemas can chain for as long as the product of their sizes.
constexpr int kDepthMax = 500;

Op op_of(Type type) {
  switch (type) {
    case Type::boolean: return Op::boolean;
    case Type::int32: return Op::int32;
    case Type::int64: return Op::int64;
    case Type::float32: return Op::float32;
    case Type::float64: return Op::float64;
    case Type::bytes:
    case Type::string: return Op::bytes;
    default: return Op::null;
  }
}

class Compiler {
 public:
  Compiler(Program& program, const Places& places) : program_(program), places_(places) {}

  Result<uint32_t> compile(const Schema& writer, const Schema& reader, const void* place, std::string_view path) {
    const auto key = std::make_tuple(&writer, &reader, place);
    if (const auto found = memo_.find(key); found != memo_.end()) return found->second;
    if (const auto found = failures_.find(key); found != failures_.end()) return found->second;
    if (depth_ > kDepthMax) return error(Code::invalid_argument, "resolve Avro schemas at {}: nested too deeply", path);
    // The node exists before its children, so that recursive types refer to it.
    const auto index = static_cast<uint32_t>(program_.nodes.size());
    program_.nodes.emplace_back();
    memo_.emplace(key, index);
    ++depth_;
    auto node = make(writer, reader, place, path);
    --depth_;
    if (!node.ok()) {
      // Nodes of a recursive type may refer to this one already: data that gets here must fail.
      program_.messages.push_back(node.status().message());
      program_.nodes[index] = {.op = Op::failure, .child = static_cast<uint32_t>(program_.messages.size() - 1)};
      memo_.erase(key);
      failures_.emplace(key, node.status());
      return node.status();
    }
    node->place = place;
    node->convert = places_.convert(place);
    program_.nodes[index] = *node;
    return index;
  }

 private:
  static Status mismatch(const Schema& writer, const Schema& reader, std::string_view path) {
    return error(Code::invalid_argument, "resolve Avro schemas at {}: written as {}, which {} cannot be read from",
                 path.empty() ? "/" : path, writer.branch_name(), reader.branch_name());
  }

  Result<Node> make(const Schema& writer, const Schema& reader, const void* place, std::string_view path) {
    if (writer.type == Type::union_of) return make_writer_union(writer, reader, place, path);
    if (reader.type == Type::union_of) return make_into_branch(writer, reader, place, path);
    if (writer.type != reader.type) {
      if (!is_promotable(writer.type, reader.type)) return mismatch(writer, reader, path);
      return Node{.op = op_of(writer.type), .to = reader.type};
    }
    switch (writer.type) {
      case Type::record: return make_record(writer, reader, place, path);
      case Type::enumeration: return make_enum(writer, reader, place, path);
      case Type::fixed:
        if (!names_match(writer, reader) || writer.size != reader.size) return mismatch(writer, reader, path);
        return Node{.op = Op::fixed, .to = Type::fixed, .size = writer.size};
      case Type::array:
      case Type::map: {
        const auto child = compile(*writer.element, *reader.element, places_.element(place, reader.type),
                                   std::string(path) + (writer.type == Type::array ? "/items" : "/values"));
        // Elements that cannot be read do no harm to data without elements.
        return Node{.op = writer.type == Type::array ? Op::array : Op::map,
                    .to = writer.type,
                    .child = child.ok() ? *child : add_failure(child.status().message())};
      }
      default: return Node{.op = op_of(writer.type), .to = reader.type};
    }
  }

  // Each branch is resolved on its own, and one that cannot be read fails only when it occurs.
  Result<Node> make_writer_union(const Schema& writer, const Schema& reader, const void* place, std::string_view path) {
    std::vector<uint32_t> branches;
    Status first_failure;
    size_t readable = 0;
    for (const Schema* branch : writer.branches) {
      auto node = compile(*branch, reader, place, path);
      if (node.ok()) {
        ++readable;
        branches.push_back(*node);
      } else {
        if (first_failure.ok()) first_failure = node.status();
        branches.push_back(add_failure(node.status().message()));
      }
    }
    if (readable == 0 && !first_failure.ok()) return first_failure;
    const auto first = static_cast<uint32_t>(program_.branches.size());
    program_.branches.insert(program_.branches.end(), branches.begin(), branches.end());
    return Node{
        .op = Op::writer_union, .to = reader.type, .first = first, .count = static_cast<uint32_t>(branches.size())};
  }

  uint32_t add_failure(const std::string& message) {
    program_.messages.push_back(message);
    program_.nodes.push_back({.op = Op::failure, .child = static_cast<uint32_t>(program_.messages.size() - 1)});
    return static_cast<uint32_t>(program_.nodes.size() - 1);
  }

  // The same type by its full name, then by the rules of matching, then any record that can be read, then by promotion:
  // as the Java library, which people rely on to wrap a record that they rename into a union.
  Result<Node> make_into_branch(const Schema& writer, const Schema& reader, const void* place, std::string_view path) {
    using Match = bool (*)(const Schema&, const Schema&);
    static constexpr Match kMatches[]{
        [](const Schema& w, const Schema& r) { return w.type == r.type && w.name == r.name; },
        [](const Schema& w, const Schema& r) { return w.type == r.type && w.is_named() && names_match(w, r); },
        [](const Schema& w, const Schema& r) { return w.type == Type::record && r.type == Type::record; },
        [](const Schema& w, const Schema& r) { return is_promotable(w.type, r.type); },
    };
    Status first_failure;
    for (const Match match : kMatches) {
      for (size_t i = 0; i < reader.branches.size(); ++i) {
        const Schema& branch = *reader.branches[i];
        if (!match(writer, branch)) continue;
        const auto part = places_.branch(place, reader, i);
        auto child = compile(writer, branch, part.place, path);
        if (child.ok()) return Node{.op = Op::into_branch, .to = branch.type, .child = *child, .branch = part.branch};
        if (first_failure.ok()) first_failure = child.status();
      }
    }
    return first_failure.ok() ? mismatch(writer, reader, path) : first_failure;
  }

  Result<Node> make_enum(const Schema& writer, const Schema& reader, const void* place, std::string_view path) {
    if (!names_match(writer, reader)) return mismatch(writer, reader, path);
    const int fallback = reader.default_symbol ? reader.symbol_index(*reader.default_symbol) : -1;
    const auto first = static_cast<uint32_t>(program_.symbols.size());
    for (const auto& symbol : writer.symbols) {
      int index = reader.symbol_index(symbol);
      if (index < 0) index = fallback;
      program_.symbols.push_back(index < 0 ? kUnknownSymbol : places_.symbol(place, static_cast<size_t>(index)));
    }
    return Node{.op = Op::enumeration,
                .to = Type::enumeration,
                .first = first,
                .count = static_cast<uint32_t>(writer.symbols.size())};
  }

  Result<Node> make_record(const Schema& writer, const Schema& reader, const void* place, std::string_view path) {
    std::vector<Step> steps;
    std::vector<bool> written(reader.fields.size());
    for (const auto& field : writer.fields) {
      const int index = reader_field(reader, field.name);
      const std::string field_path = fmt::format("{}/{}", path, field.name);
      if (index < 0) {
        steps.push_back(
            {.kind = StepKind::skip, .node = MUIR_TRY(compile(*field.schema, *field.schema, nullptr, field_path))});
        continue;
      }
      const auto at = static_cast<size_t>(index);
      if (written[at]) {
        return error(Code::invalid_argument, "resolve Avro schemas at {}: several written fields match {}", field_path,
                     reader.fields[at].name);
      }
      written[at] = true;
      const auto part = places_.field(place, at);
      steps.push_back({.kind = StepKind::read,
                       .node = MUIR_TRY(compile(*field.schema, *reader.fields[at].schema, part.place, field_path)),
                       .slot = part.slot});
    }
    for (size_t at = 0; at < reader.fields.size(); ++at) {
      if (!written[at]) steps.push_back(MUIR_TRY(preset_step(reader, at, place, path)));
    }
    const auto first = static_cast<uint32_t>(program_.steps.size());
    program_.steps.insert(program_.steps.end(), steps.begin(), steps.end());
    return Node{.op = Op::record,
                .to = Type::record,
                .first = first,
                .count = static_cast<uint32_t>(steps.size()),
                .slots = static_cast<uint32_t>(reader.fields.size())};
  }

  // The reader's field that a written one goes to: by name, else by the reader's aliases, of which the last one counts.
  static int reader_field(const Schema& reader, const std::string& name) {
    if (const int index = reader.field_index(name); index >= 0) return index;
    for (size_t i = reader.fields.size(); i > 0; --i) {
      const auto& aliases = reader.fields[i - 1].aliases;
      if (std::find(aliases.begin(), aliases.end(), name) != aliases.end()) return static_cast<int>(i - 1);
    }
    return -1;
  }

  Result<Step> preset_step(const Schema& reader, size_t at, const void* place, std::string_view path) {
    const Field& field = reader.fields[at];
    if (!field.default_value) {
      return error(Code::invalid_argument,
                   "resolve Avro schemas at {}/{}: the field was not written and has no default", path, field.name);
    }
    Bytes preset;
    MUIR_RETURN_IF_ERROR(encode_default(*field.schema, *field.default_value, preset)
                             .annotate(fmt::format("default of {}/{}", path, field.name)));
    program_.presets.push_back(std::move(preset));
    const auto preset_index = static_cast<uint32_t>(program_.presets.size() - 1);
    const auto part = places_.field(place, at);
    const uint32_t node =
        MUIR_TRY(compile(*field.schema, *field.schema, part.place, fmt::format("{}/{}", path, field.name)));
    return Step{.kind = StepKind::preset, .node = node, .slot = part.slot, .preset = preset_index};
  }

  Program& program_;
  const Places& places_;
  using Key = std::tuple<const Schema*, const Schema*, const void*>;
  std::map<Key, uint32_t> memo_;
  std::map<Key, Status> failures_;  // so that hostile schemas do not make every branch fail again and again
  int depth_ = 0;
};

}  // namespace

const Places& value_places() {
  class ValuePlaces final : public Places {
   public:
    const void* root() const override { return nullptr; }
    Part field(const void*, size_t index) const override { return {.slot = static_cast<uint32_t>(index)}; }
    const void* element(const void*, Type) const override { return nullptr; }
    Part branch(const void*, const Schema&, size_t index) const override {
      return {.branch = static_cast<int32_t>(index)};
    }
    int64_t symbol(const void*, size_t index) const override { return static_cast<int64_t>(index); }
    Convert convert(const void*) const override { return Convert::none; }
  };
  static const ValuePlaces places;
  return places;
}

Result<std::shared_ptr<const Program>> compile(const SchemaPtr& writer, const SchemaPtr& reader, const Places& places) {
  auto program = std::make_shared<Program>();
  program->writer = writer;
  program->reader = reader;
  program->root = MUIR_TRY(Compiler(*program, places).compile(*writer, *reader, places.root(), ""));
  return std::shared_ptr<const Program>(std::move(program));
}

}  // namespace muir::schema::avro::internal
