#include "schema/avro_decode.h"

#include "schema/avro_compatibility.h"
#include "schema/avro_encode.h"
#include "schema/avro_parse.h"
#include "schema/internal/avro_program.h"
#include "schema/internal/avro_wire.h"

namespace muir::schema::avro {
namespace {

using internal::Node;
using internal::Op;
using internal::Program;
using internal::Step;
using internal::StepKind;

// Deeper data than this is taken for an attack on the stack.
constexpr int kDepthMax = 500;
// Items without bytes (null, empty records) cost an attacker nothing: a datum may hold this many of them.
constexpr size_t kEmptyItemsMax = 1 << 20;

// Where decoded data goes. `at` is a target's own pointer to a place.
struct ValueTarget {
  using At = Value*;
  static void put_null(At at) { at->data = std::monostate(); }
  template <class T>
  static void put(At at, T value) {
    at->data = value;
  }
  static void put_text(At at, BytesView text) { at->data.emplace<std::string>(text); }
  static void put_blob(At at, BytesView bytes) { at->data = Value::Blob{Bytes(bytes)}; }
  static void put_symbol(At at, const Node&, int64_t value) { at->data = Value::Symbol{static_cast<int32_t>(value)}; }
  static At begin_record(At at, const Node& node) {
    at->data.emplace<Value::Record>().fields.resize(node.slots);
    return at;
  }
  static At slot(At at, uint32_t slot) { return &at->as<Value::Record>()->fields[slot]; }
  static void begin_array(At at, const Node&) { at->data.emplace<Value::Array>(); }
  static At append(At at, const Node&) { return &at->as<Value::Array>()->items.emplace_back(); }
  static void begin_map(At at, const Node&) { at->data.emplace<Value::Map>(); }
  static At insert(At at, const Node&, BytesView key) {
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
  static void put_null(At) {}
  template <class T>
  static void put(At at, T value) {
    std::memcpy(at, &value, sizeof(T));
  }
  static void put_text(At at, BytesView text) { reinterpret_cast<std::string*>(at)->assign(text); }
  static void put_blob(At at, BytesView bytes) { put_text(at, bytes); }
  static void put_symbol(At at, const Node& node, int64_t value) { node.layout->enumeration->set(at, value); }
  static At begin_record(At at, const Node&) { return at; }
  static At slot(At at, uint32_t slot) { return at + slot; }
  static void begin_array(At at, const Node& node) { node.layout->array->clear(at); }
  static At append(At at, const Node& node) { return static_cast<At>(node.layout->array->append(at)); }
  static void begin_map(At at, const Node& node) { node.layout->map->clear(at); }
  static At insert(At at, const Node& node, BytesView key) {
    return static_cast<At>(node.layout->map->insert(at, key));
  }
  static At enter_branch(At at, const Node& node) {
    if (node.to != Type::null) return static_cast<At>(node.layout->optional->emplace(at));
    node.layout->optional->reset(at);
    return nullptr;  // the null that follows is put nowhere
  }
};

struct SkipTarget {
  struct At {};
  static void put_null(At) {}
  template <class T>
  static void put(At, T) {}
  static void put_text(At, BytesView) {}
  static void put_blob(At, BytesView) {}
  static void put_symbol(At, const Node&, int64_t) {}
  static At begin_record(At at, const Node&) { return at; }
  static At slot(At at, uint32_t) { return at; }
  static void begin_array(At, const Node&) {}
  static At append(At at, const Node&) { return at; }
  static void begin_map(At, const Node&) {}
  static At insert(At at, const Node&, BytesView) { return at; }
  static At enter_branch(At at, const Node&) { return at; }
};

// Runs a program over one datum. Functions return false when they failed; `why_` then says why.
class Run {
 public:
  Run(const Program& program, BytesView bytes)
      : program_(program), in_(bytes), begin_(bytes.data()), items_left_(bytes.size() + kEmptyItemsMax) {}

  template <class Target>
  Status decode(typename Target::At at) {
    if (node<Target>(program_.nodes[program_.root], at)) return {};
    return error(Code::invalid_argument, "decode Avro at byte {}: {}", in_.pos - begin_,
                 why_.empty() ? "the bytes end or are malformed" : why_);
  }
  [[nodiscard]] BytesView rest() const { return {in_.pos, in_.remaining()}; }

 private:
  bool fail(std::string why) {
    why_ = std::move(why);
    return false;
  }

  template <class Target>
  static void put_number(typename Target::At at, Type to, auto value) {
    switch (to) {
      case Type::int32: Target::put(at, static_cast<int32_t>(value)); break;
      case Type::int64: Target::put(at, static_cast<int64_t>(value)); break;
      case Type::float32: Target::put(at, static_cast<float>(value)); break;
      default: Target::put(at, static_cast<double>(value));
    }
  }

  template <class Target>
  bool node(const Node& node, typename Target::At at) {
    switch (node.op) {
      case Op::null: Target::put_null(at); return true;
      case Op::boolean: {
        unsigned char byte = 0;
        if (!in_.read_raw(byte) || byte > 1) return false;
        Target::put(at, byte == 1);
        return true;
      }
      case Op::int32: {
        int32_t value = 0;
        if (!in_.read_int(value)) return false;
        put_number<Target>(at, node.to, value);
        return true;
      }
      case Op::int64: {
        int64_t value = 0;
        if (!in_.read_long(value)) return false;
        put_number<Target>(at, node.to, value);
        return true;
      }
      case Op::float32: {
        float value = 0;
        if (!in_.read_raw(value)) return false;
        put_number<Target>(at, node.to, value);
        return true;
      }
      case Op::float64: {
        double value = 0;
        if (!in_.read_raw(value)) return false;
        Target::put(at, value);
        return true;
      }
      case Op::bytes: {
        BytesView bytes;
        if (!in_.read_bytes(bytes)) return false;
        put_bytes<Target>(at, node.to, bytes);
        return true;
      }
      case Op::fixed: {
        if (in_.remaining() < static_cast<size_t>(node.size)) return false;
        Target::put_blob(at, BytesView(in_.pos, static_cast<size_t>(node.size)));
        in_.pos += node.size;
        return true;
      }
      case Op::enumeration: return enumeration<Target>(node, at);
      case Op::record: return record<Target>(node, at);
      case Op::array:
      case Op::map: return blocks<Target>(node, at);
      case Op::writer_union: {
        int64_t branch = 0;
        if (!in_.read_long(branch)) return false;
        if (branch < 0 || branch >= node.count) return fail(fmt::format("union branch {} of {}", branch, node.count));
        return nested<Target>(program_.nodes[program_.branches[node.first + static_cast<uint32_t>(branch)]], at);
      }
      case Op::into_branch: return nested<Target>(program_.nodes[node.child], Target::enter_branch(at, node));
      case Op::failure: return fail(program_.messages[node.child]);
    }
    return false;
  }

  template <class Target>
  static void put_bytes(typename Target::At at, Type to, BytesView bytes) {
    if (to == Type::string) {
      Target::put_text(at, bytes);
    } else {
      Target::put_blob(at, bytes);
    }
  }

  template <class Target>
  bool nested(const Node& child, typename Target::At at) {
    if (++depth_ > kDepthMax) return fail("nested too deeply");
    const bool ok = node<Target>(child, at);
    --depth_;
    return ok;
  }

  template <class Target>
  bool enumeration(const Node& node, typename Target::At at) {
    int32_t index = 0;
    if (!in_.read_int(index)) return false;
    if (index < 0 || static_cast<uint32_t>(index) >= node.count)
      return fail(fmt::format("enum symbol {} of {}", index, node.count));
    const int64_t value = program_.symbols[node.first + static_cast<uint32_t>(index)];
    if (value == internal::kUnknownSymbol)
      return fail(fmt::format("enum symbol {} is unknown to the reader, which has no default", index));
    Target::put_symbol(at, node, value);
    return true;
  }

  template <class Target>
  bool record(const Node& node, typename Target::At at) {
    const auto target = Target::begin_record(at, node);
    for (uint32_t i = 0; i < node.count; ++i) {
      const Step& step = program_.steps[node.first + i];
      bool ok = false;
      switch (step.kind) {
        case StepKind::read: ok = nested<Target>(program_.nodes[step.node], Target::slot(target, step.slot)); break;
        case StepKind::skip: ok = nested<SkipTarget>(program_.nodes[step.node], {}); break;
        case StepKind::preset: ok = preset<Target>(step, Target::slot(target, step.slot)); break;
      }
      if (!ok) [[unlikely]]
        return false;
    }
    return true;
  }

  template <class Target>
  bool preset(const Step& step, typename Target::At at) {
    WireCursor saved(program_.presets[step.preset]);
    std::swap(in_, saved);
    const bool ok = nested<Target>(program_.nodes[step.node], at);
    std::swap(in_, saved);
    return ok || fail("a default does not decode");
  }

  // Arrays and maps: blocks of items, each with its count; a negative count is followed by the block's size in bytes.
  template <class Target>
  bool blocks(const Node& node, typename Target::At at) {
    const bool is_map = node.op == Op::map;
    const Node& child = program_.nodes[node.child];
    if (is_map) {
      Target::begin_map(at, node);
    } else {
      Target::begin_array(at, node);
    }
    while (true) {
      int64_t count = 0;
      if (!in_.read_long(count)) return false;
      if (count == 0) return true;
      if (count < 0) {
        size_t block_bytes = 0;
        if (!in_.read_size(block_bytes) || count == INT64_MIN) return false;
        count = -count;
        if constexpr (std::is_same_v<Target, SkipTarget>) {
          in_.pos += block_bytes;
          continue;
        }
      }
      if (static_cast<uint64_t>(count) > items_left_) return fail("more items than the bytes can hold");
      items_left_ -= static_cast<size_t>(count);
      for (; count > 0; --count) {
        BytesView key;
        if (is_map && !in_.read_bytes(key)) return false;
        if (!nested<Target>(child, is_map ? Target::insert(at, node, key) : Target::append(at, node))) return false;
      }
    }
  }

  const Program& program_;
  WireCursor in_;
  const char* begin_;
  size_t items_left_;
  int depth_ = 0;
  std::string why_;
};

template <class Target>
Status decode_prefix_into(const Program& program, BytesView& bytes, typename Target::At at) {
  Run run(program, bytes);
  MUIR_RETURN_IF_ERROR(run.decode<Target>(at));
  bytes = run.rest();
  return {};
}

Status nothing_left(BytesView rest) {
  if (rest.empty()) return {};
  return error(Code::invalid_argument, "decode Avro: {} bytes left after the datum", rest.size());
}

}  // namespace

Result<ValueDecoder> ValueDecoder::compile(const SchemaPtr& writer, const SchemaPtr& reader) {
  return ValueDecoder(MUIR_TRY(internal::compile(writer, reader, nullptr)));
}
Status ValueDecoder::decode_prefix(BytesView& bytes, Value& out) const {
  return decode_prefix_into<ValueTarget>(*program_, bytes, &out);
}
Status ValueDecoder::decode(BytesView bytes, Value& out) const {
  MUIR_RETURN_IF_ERROR(decode_prefix(bytes, out));
  return nothing_left(bytes);
}

Result<StructDecoder> StructDecoder::compile(const SchemaPtr& writer, const Layout& layout) {
  return StructDecoder(MUIR_TRY(internal::compile(writer, schema_of(layout), &layout)));
}
Status StructDecoder::decode_prefix(BytesView& bytes, void* object) const {
  return decode_prefix_into<StructTarget>(*program_, bytes, static_cast<char*>(object));
}
Status StructDecoder::decode(BytesView bytes, void* object) const {
  MUIR_RETURN_IF_ERROR(decode_prefix(bytes, object));
  return nothing_left(bytes);
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
