#include "schema/avro_encode.h"

#include "schema/internal/avro_encode_program.h"
#include "schema/internal/avro_places.h"
#include "schema/internal/avro_wire.h"

namespace muir::schema::avro {
namespace {

using internal::EncodeNode;

constexpr int kDepthMax = 500;

Status mismatch(const Schema& schema, std::string_view detail = "the value has another type") {
  return error(Code::invalid_argument, "encode Avro {}: {}", schema.branch_name(), detail);
}

Status encode_value(const Schema& schema, const Value& value, Bytes& out, int depth);

Status encode_record(const Schema& schema, const Value::Record& record, Bytes& out, int depth) {
  if (record.fields.size() != schema.fields.size()) {
    return mismatch(schema, fmt::format("{} values for {} fields", record.fields.size(), schema.fields.size()));
  }
  for (size_t i = 0; i < record.fields.size(); ++i) {
    Status status = encode_value(*schema.fields[i].schema, record.fields[i], out, depth + 1);
    if (!status.ok()) return status.annotate(schema.fields[i].name);
  }
  return {};
}

Status encode_items(const Schema& schema, const Value& value, Bytes& out, int depth) {
  if (const auto* array = value.as<Value::Array>(); array != nullptr && schema.type == Type::array) {
    if (!array->items.empty()) write_long(out, static_cast<int64_t>(array->items.size()));
    for (const auto& item : array->items) MUIR_RETURN_IF_ERROR(encode_value(*schema.element, item, out, depth + 1));
  } else if (const auto* map = value.as<Value::Map>(); map != nullptr && schema.type == Type::map) {
    if (!map->entries.empty()) write_long(out, static_cast<int64_t>(map->entries.size()));
    for (const auto& [key, item] : map->entries) {
      write_bytes(out, key);
      MUIR_RETURN_IF_ERROR(encode_value(*schema.element, item, out, depth + 1));
    }
  } else {
    return mismatch(schema);
  }
  write_long(out, 0);
  return {};
}

Status encode_value(const Schema& schema, const Value& value, Bytes& out, int depth) {
  if (depth > kDepthMax) return mismatch(schema, "nested too deeply");
  switch (schema.type) {
    case Type::null: return value.is_null() ? Status() : mismatch(schema);
    case Type::boolean:
      if (const auto* flag = value.as<bool>()) return out.push_back(*flag ? '\1' : '\0'), Status();
      break;
    case Type::int32:
      if (const auto* number = value.as<int32_t>()) return write_long(out, *number), Status();
      break;
    case Type::int64:
      if (const auto* number = value.as<int64_t>()) return write_long(out, *number), Status();
      break;
    case Type::float32:
      if (const auto* number = value.as<float>()) return write_float(out, *number), Status();
      break;
    case Type::float64:
      if (const auto* number = value.as<double>()) return write_double(out, *number), Status();
      break;
    case Type::string:
      if (const auto* text = value.as<std::string>()) return write_bytes(out, *text), Status();
      break;
    case Type::bytes:
      if (const auto* blob = value.as<Value::Blob>()) return write_bytes(out, blob->data), Status();
      break;
    case Type::fixed:
      if (const auto* blob = value.as<Value::Blob>()) {
        if (static_cast<int64_t>(blob->data.size()) != schema.size)
          return mismatch(schema, fmt::format("{} bytes for {}", blob->data.size(), schema.size));
        return out.append(blob->data), Status();
      }
      break;
    case Type::enumeration:
      if (const auto* symbol = value.as<Value::Symbol>()) {
        if (symbol->index < 0 || static_cast<size_t>(symbol->index) >= schema.symbols.size())
          return mismatch(schema, "the symbol index is out of range");
        return write_long(out, symbol->index), Status();
      }
      break;
    case Type::record:
      if (const auto* record = value.as<Value::Record>()) return encode_record(schema, *record, out, depth);
      break;
    case Type::array:
    case Type::map: return encode_items(schema, value, out, depth);
    case Type::union_of:
      if (const auto* held = value.as<Value::Union>()) {
        if (held->branch < 0 || static_cast<size_t>(held->branch) >= schema.branches.size() || held->held.size() != 1) {
          return mismatch(schema, "the branch is out of range");
        }
        write_long(out, held->branch);
        return encode_value(*schema.branches[static_cast<size_t>(held->branch)], held->held[0], out, depth + 1);
      }
      break;
  }
  return mismatch(schema);
}

// A C++ object. Its schema has no unions but those of optionals, and types that only rows have do not occur.
struct StructSource {
  static constexpr bool kIsRow = false;
  using At = const char*;
  static const Layout& layout(const EncodeNode& node) { return *static_cast<const Layout*>(node.place); }
  static std::string refusal(const EncodeNode& node) {
    return fmt::format("the enum {} has a value without a symbol", layout(node).name);
  }
  template <class T>
  static T load(At at) {
    T value;
    std::memcpy(&value, at, sizeof(T));
    return value;
  }
  static BytesView bytes(At at) { return *reinterpret_cast<const std::string*>(at); }
  static int64_t symbol(At at, const EncodeNode& node) {
    const Layout& layout = StructSource::layout(node);
    const int64_t value = layout.enumeration->get(at);
    for (size_t i = 0; i < layout.values.size(); ++i) {
      if (layout.values[i] == value) return static_cast<int64_t>(i);
    }
    return -1;
  }
  static At enter_record(At at, const EncodeNode&) { return at; }
  static At slot(At at, uint32_t slot) { return at + slot; }
  static size_t size(At at, const EncodeNode& node) { return layout(node).array->size(at); }
  static At item(At at, const EncodeNode& node, size_t index) {
    return static_cast<At>(layout(node).array->at(at, index));
  }
  static size_t entries(At at, const EncodeNode& node) { return layout(node).map->size(at); }
  template <class Visit>
  static void for_each(At at, const EncodeNode& node, Visit&& visit) {
    layout(node).map->for_each(at, &visit, [](void* context, std::string_view key, const void* value) -> bool {
      return (*static_cast<std::remove_reference_t<Visit>*>(context))(key, static_cast<At>(value));
    });
  }
  static bool has(At at, const EncodeNode& node) { return layout(node).optional->has(at); }
  static At held(At at, const EncodeNode& node) { return static_cast<At>(layout(node).optional->get(at)); }
};

}  // namespace

Status encode(const Schema& schema, const Value& value, Bytes& out) {
  const size_t start = out.size();
  Status status = encode_value(schema, value, out, 0);
  if (!status.ok()) out.resize(start);
  return status;
}

StructEncoder::StructEncoder(const Layout& layout)
    : layout_(&layout), program_(internal::compile_encoder(*schema_of(layout), internal::StructPlaces(layout))) {}

Status StructEncoder::encode(const void* object, Bytes& out) const {
  const size_t start = out.size();
  internal::EncodeRun<StructSource> run(*program_, out);
  if (run.write(static_cast<const char*>(object))) return {};
  out.resize(start);
  return error(Code::invalid_argument, "encode Avro {}: {}", layout_->name, run.why());
}

}  // namespace muir::schema::avro
