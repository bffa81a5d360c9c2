// Running a compiled program over one datum, for every target. Included by the decoders' sources only.
//
// A target is a set of static functions over its own pointer to a place, At. They return false, or a place that is not
// ok(), when the target cannot take what comes; refusal() then says why.
#pragma once

#include <utility>

#include "schema/internal/avro_program.h"
#include "schema/internal/avro_wire.h"

namespace muir::schema::avro::internal {

// Deeper data than this is taken for an attack on the stack.
inline constexpr int kDataDepthMax = 500;
// Items without bytes (null, empty records) cost an attacker nothing: a datum may hold this many of them.
inline constexpr size_t kEmptyItemsMax = 1 << 20;

// For what only the writer has.
struct SkipTarget {
  struct At {};
  static bool ok(At) { return true; }
  static std::string refusal(const Node&) { return {}; }
  static void put_null(At) {}
  template <class T>
  static bool put(At, const Node&, T) {
    return true;
  }
  static bool put_text(At, const Node&, BytesView) { return true; }
  static bool put_blob(At, const Node&, BytesView) { return true; }
  static void put_symbol(At, const Node&, int64_t) {}
  static At begin_record(At at, const Node&) { return at; }
  static At slot(At at, uint32_t) { return at; }
  static void begin_array(At, const Node&) {}
  static At append(At at, const Node&, int64_t) { return at; }
  static void begin_map(At, const Node&) {}
  static At insert(At at, const Node&, BytesView, int64_t) { return at; }
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
  bool refused(const Node& node) {
    return fail(Target::refusal(node));
  }

  template <class Target>
  bool put_number(typename Target::At at, const Node& node, auto value) {
    switch (node.to) {
      case Type::int32: return Target::put(at, node, static_cast<int32_t>(value)) || refused<Target>(node);
      case Type::int64: return Target::put(at, node, static_cast<int64_t>(value));
      case Type::float32: return Target::put(at, node, static_cast<float>(value));
      default: return Target::put(at, node, static_cast<double>(value));
    }
  }

  template <class Target>
  bool node(const Node& node, typename Target::At at) {
    switch (node.op) {
      case Op::null: Target::put_null(at); return true;
      case Op::boolean: {
        unsigned char byte = 0;
        if (!in_.read_raw(byte) || byte > 1) return false;
        return Target::put(at, node, byte == 1);
      }
      case Op::int32: {
        int32_t value = 0;
        if (!in_.read_int(value)) return false;
        return put_number<Target>(at, node, value);
      }
      case Op::int64: {
        int64_t value = 0;
        if (!in_.read_long(value)) return false;
        return put_number<Target>(at, node, value);
      }
      case Op::float32: {
        float value = 0;
        if (!in_.read_raw(value)) return false;
        return put_number<Target>(at, node, value);
      }
      case Op::float64: {
        double value = 0;
        if (!in_.read_raw(value)) return false;
        return Target::put(at, node, value);
      }
      case Op::bytes: {
        BytesView bytes;
        if (!in_.read_bytes(bytes)) return false;
        const bool taken =
            node.to == Type::string ? Target::put_text(at, node, bytes) : Target::put_blob(at, node, bytes);
        return taken || refused<Target>(node);
      }
      case Op::fixed: {
        if (in_.remaining() < static_cast<size_t>(node.size)) return false;
        const BytesView bytes(in_.pos, static_cast<size_t>(node.size));
        in_.pos += node.size;
        return Target::put_blob(at, node, bytes) || refused<Target>(node);
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
      case Op::into_branch: {
        const auto inner = Target::enter_branch(at, node);
        return Target::ok(inner) ? nested<Target>(program_.nodes[node.child], inner) : refused<Target>(node);
      }
      case Op::failure: return fail(program_.messages[node.child]);
    }
    return false;
  }

  template <class Target>
  bool nested(const Node& child, typename Target::At at) {
    if (++depth_ > kDataDepthMax) return fail("nested too deeply");
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
    if (value == kUnknownSymbol)
      return fail(fmt::format("enum symbol {} is unknown to the reader, which has no default", index));
    Target::put_symbol(at, node, value);
    return true;
  }

  template <class Target>
  bool record(const Node& node, typename Target::At at) {
    const auto target = Target::begin_record(at, node);
    if (!Target::ok(target)) return refused<Target>(node);
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
    return ok || (why_.empty() ? fail("a default does not decode") : false);
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
        const auto item = is_map ? Target::insert(at, node, key, count) : Target::append(at, node, count);
        if (!Target::ok(item)) return refused<Target>(node);
        if (!nested<Target>(child, item)) return false;
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

// One datum at the start of `bytes`, which is moved past it.
template <class Target>
Status decode_prefix_into(const Program& program, BytesView& bytes, typename Target::At at) {
  Run run(program, bytes);
  MUIR_RETURN_IF_ERROR(run.decode<Target>(at));
  bytes = run.rest();
  return {};
}

inline Status nothing_left(BytesView rest) {
  if (rest.empty()) return {};
  return error(Code::invalid_argument, "decode Avro: {} bytes left after the datum", rest.size());
}

}  // namespace muir::schema::avro::internal
