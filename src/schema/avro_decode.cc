#include "schema/avro_decode.h"

#include "schema/avro_compatibility.h"
#include "schema/avro_encode.h"
#include "schema/avro_parse.h"
#include "schema/internal/avro_places.h"
#include "schema/internal/avro_run.h"

namespace muir::schema::avro {
namespace {

using internal::Node;

struct ValueTarget {
  using At = Value*;
  static bool ok(At) { return true; }
  static std::string refusal(const Node&) { return {}; }
  static void put_null(At at) { at->data = std::monostate(); }
  template <class T>
  static bool put(At at, const Node&, T value) {
    at->data = value;
    return true;
  }
  static bool put_text(At at, const Node&, BytesView text) {
    at->data.emplace<std::string>(text);
    return true;
  }
  static bool put_blob(At at, const Node&, BytesView bytes) {
    at->data = Value::Blob{Bytes(bytes)};
    return true;
  }
  static void put_symbol(At at, const Node&, int64_t value) { at->data = Value::Symbol{static_cast<int32_t>(value)}; }
  static At begin_record(At at, const Node& node) {
    at->data.emplace<Value::Record>().fields.resize(node.slots);
    return at;
  }
  static At slot(At at, uint32_t slot) { return &at->as<Value::Record>()->fields[slot]; }
  static void begin_array(At at, const Node&) { at->data.emplace<Value::Array>(); }
  static At append(At at, const Node&, int64_t) { return &at->as<Value::Array>()->items.emplace_back(); }
  static void begin_map(At at, const Node&) { at->data.emplace<Value::Map>(); }
  static At insert(At at, const Node&, BytesView key, int64_t) {
    return &at->as<Value::Map>()->entries.emplace_back(std::string(key), Value()).second;
  }
  static At enter_branch(At at, const Node& node) {
    auto& held = at->data.emplace<Value::Union>();
    held.branch = node.branch;
    return &held.held.emplace_back();
  }
};

struct StructTarget {
  using At = char*;
  static bool ok(At) { return true; }
  static std::string refusal(const Node&) { return {}; }
  static const Layout& layout(const Node& node) { return *static_cast<const Layout*>(node.place); }
  static void put_null(At) {}
  template <class T>
  static bool put(At at, const Node&, T value) {
    std::memcpy(at, &value, sizeof(T));
    return true;
  }
  static bool put_text(At at, const Node&, BytesView text) {
    reinterpret_cast<std::string*>(at)->assign(text);
    return true;
  }
  static bool put_blob(At at, const Node& node, BytesView bytes) { return put_text(at, node, bytes); }
  static void put_symbol(At at, const Node& node, int64_t value) { layout(node).enumeration->set(at, value); }
  static At begin_record(At at, const Node&) { return at; }
  static At slot(At at, uint32_t slot) { return at + slot; }
  static void begin_array(At at, const Node& node) { layout(node).array->clear(at); }
  static At append(At at, const Node& node, int64_t) { return static_cast<At>(layout(node).array->append(at)); }
  static void begin_map(At at, const Node& node) { layout(node).map->clear(at); }
  static At insert(At at, const Node& node, BytesView key, int64_t) {
    return static_cast<At>(layout(node).map->insert(at, key));
  }
  static At enter_branch(At at, const Node& node) {
    if (node.to != Type::null) return static_cast<At>(layout(node).optional->emplace(at));
    layout(node).optional->reset(at);
    return nullptr;  // the null that follows is put nowhere
  }
};

}  // namespace

Result<ValueDecoder> ValueDecoder::compile(const SchemaPtr& writer, const SchemaPtr& reader) {
  return ValueDecoder(MUIR_TRY(internal::compile(writer, reader, internal::value_places())));
}
Status ValueDecoder::decode_prefix(BytesView& bytes, Value& out) const {
  return internal::decode_prefix_into<ValueTarget>(*program_, bytes, &out);
}
Status ValueDecoder::decode(BytesView bytes, Value& out) const {
  MUIR_RETURN_IF_ERROR(decode_prefix(bytes, out));
  return internal::nothing_left(bytes);
}

Result<StructDecoder> StructDecoder::compile(const SchemaPtr& writer, const Layout& layout) {
  return StructDecoder(MUIR_TRY(internal::compile(writer, schema_of(layout), internal::StructPlaces(layout))));
}
Status StructDecoder::decode_prefix(BytesView& bytes, void* object) const {
  return internal::decode_prefix_into<StructTarget>(*program_, bytes, static_cast<char*>(object));
}
Status StructDecoder::decode(BytesView bytes, void* object) const {
  MUIR_RETURN_IF_ERROR(decode_prefix(bytes, object));
  return internal::nothing_left(bytes);
}

int fuzz_avro_datum(BytesView input) {
  const size_t split = input.find('\0');
  if (split == BytesView::npos) return 0;
  const auto schema = parse(input.substr(0, split), {.strict = false});
  if (!schema.ok()) return 0;
  const auto decoder = ValueDecoder::compile(*schema, *schema);
  if (!decoder.ok()) return 0;
  Value value;
  if (!decoder->decode(input.substr(split + 1), value).ok()) return 0;
  Bytes bytes;
  CHECK(encode(**schema, value, bytes).ok(), "a decoded value does not encode");
  Value again;
  CHECK(decoder->decode(bytes, again).ok() && again == value, "a value does not survive encoding");
  return 1;
}

int fuzz_avro_resolution(BytesView input) {
  const size_t first = input.find('\0');
  const size_t second = first == BytesView::npos ? first : input.find('\0', first + 1);
  if (second == BytesView::npos) return 0;
  const auto writer = parse(input.substr(0, first), {.strict = false});
  const auto reader = parse(input.substr(first + 1, second - first - 1), {.strict = false});
  if (!writer.ok() || !reader.ok()) return 0;
  (void)check_readable(**reader, **writer);
  const auto decoder = ValueDecoder::compile(*writer, *reader);
  if (!decoder.ok()) return 0;
  Value value;
  if (!decoder->decode(input.substr(second + 1), value).ok()) return 0;
  Bytes bytes;
  CHECK(encode(**reader, value, bytes).ok(), "a resolved value is none of the reader's schema");
  return 1;
}

}  // namespace muir::schema::avro
