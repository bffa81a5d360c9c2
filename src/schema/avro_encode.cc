#include "schema/avro_encode.h"

#include "schema/internal/avro_wire.h"

namespace muir::schema::avro {
namespace {

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

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// Returns the layout of the enum that has no symbol for its value, else nullptr.
const Layout* write_struct(const Layout& layout, const char* at, Bytes& out) {
  switch (layout.kind) {
    case LayoutKind::boolean: out.push_back(load<bool>(at) ? '\1' : '\0'); return nullptr;
    case LayoutKind::int32: write_long(out, load<int32_t>(at)); return nullptr;
    case LayoutKind::int64: write_long(out, load<int64_t>(at)); return nullptr;
    case LayoutKind::float32: write_float(out, load<float>(at)); return nullptr;
    case LayoutKind::float64: write_double(out, load<double>(at)); return nullptr;
    case LayoutKind::string:
    case LayoutKind::bytes: write_bytes(out, *reinterpret_cast<const std::string*>(at)); return nullptr;
    case LayoutKind::enumeration: {
      const int64_t value = layout.enumeration->get(at);
      for (size_t i = 0; i < layout.values.size(); ++i) {
        if (layout.values[i] == value) return write_long(out, static_cast<int64_t>(i)), nullptr;
      }
      return &layout;
    }
    case LayoutKind::record:
      for (const auto& field : layout.fields) {
        if (const Layout* failed = write_struct(*field.layout, at + field.offset, out)) return failed;
      }
      return nullptr;
    case LayoutKind::optional: {
      if (!layout.optional->has(at)) return write_long(out, 0), nullptr;
      write_long(out, 1);
      return write_struct(*layout.element, static_cast<const char*>(layout.optional->get(at)), out);
    }
    case LayoutKind::array: {
      const size_t size = layout.array->size(at);
      if (size > 0) write_long(out, static_cast<int64_t>(size));
      for (size_t i = 0; i < size; ++i) {
        if (const Layout* failed =
                write_struct(*layout.element, static_cast<const char*>(layout.array->at(at, i)), out))
          return failed;
      }
      write_long(out, 0);
      return nullptr;
    }
    case LayoutKind::map: {
      struct Context {
        const Layout* element;
        Bytes* out;
        const Layout* failed;
      } context{layout.element, &out, nullptr};
      if (const size_t size = layout.map->size(at); size > 0) write_long(out, static_cast<int64_t>(size));
      layout.map->for_each(at, &context, [](void* opaque, std::string_view key, const void* value) {
        auto& c = *static_cast<Context*>(opaque);
        write_bytes(*c.out, key);
        c.failed = write_struct(*c.element, static_cast<const char*>(value), *c.out);
        return c.failed == nullptr;
      });
      write_long(out, 0);
      return context.failed;
    }
  }
  return nullptr;
}

}  // namespace

Status encode(const Schema& schema, const Value& value, Bytes& out) {
  const size_t start = out.size();
  Status status = encode_value(schema, value, out, 0);
  if (!status.ok()) out.resize(start);
  return status;
}

Status encode_struct(const Layout& layout, const void* object, Bytes& out) {
  const size_t start = out.size();
  const Layout* failed = write_struct(layout, static_cast<const char*>(object), out);
  if (failed == nullptr) return {};
  out.resize(start);
  return error(Code::invalid_argument, "encode Avro {}: the enum {} has a value without a symbol", layout.name,
               failed->name);
}

}  // namespace muir::schema::avro
