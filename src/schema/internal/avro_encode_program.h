// The compiled form of writing a schema from a target that lies flat in memory, and how it runs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "schema/internal/avro_program.h"
#include "schema/internal/avro_wire.h"

namespace muir::schema::avro::internal {

enum class EncodeOp : unsigned char {
  nothing,  // null
  boolean,
  int8,
  int16,
  int32,
  int64,
  float32,
  float64,
  bytes,  // or a string: length, then bytes
  fixed,
  uuid,  // as text
  fixed_uuid,
  decimal,
  fixed_decimal,
  enumeration,
  record,
  array,
  map,
  option,  // null or one type
  choice,  // of several types, perhaps null
};

struct EncodeNode {
  EncodeOp op = EncodeOp::nothing;
  uint32_t first = 0;  // record: into steps; choice: into branches
  uint32_t count = 0;
  uint32_t child = 0;        // array, map, option: a node
  int32_t null_branch = -1;  // option, choice: of the union; -1: null is not among them
  int32_t branch = 0;        // option: of the union
  int64_t size = 0;          // fixed
  const void* place = nullptr;
};

struct EncodeStep {
  uint32_t node = 0;
  uint32_t slot = 0;
};

// Of a choice, in the order of the target's numbers.
struct EncodeBranch {
  uint32_t node = 0;
  int32_t branch = 0;  // of the union
};

// Immutable, thread-safe.
struct EncodeProgram {
  std::vector<EncodeNode> nodes;
  std::vector<EncodeStep> steps;
  std::vector<EncodeBranch> branches;
  uint32_t root = 0;
};

std::shared_ptr<const EncodeProgram> compile_encoder(const Schema& schema, const Places& places);

// Runs a program. A source is a set of static functions over its own pointer to a place, At.
template <class Source>
class EncodeRun {
 public:
  using At = typename Source::At;
  EncodeRun(const EncodeProgram& program, Bytes& out) : program_(program), out_(out) {}

  // False when the value cannot be written; why() says why.
  bool write(At at) { return node(program_.nodes[program_.root], at); }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  bool fail(std::string why) {
    why_ = std::move(why);
    return false;
  }

  bool node(const EncodeNode& node, At at) {
    switch (node.op) {
      case EncodeOp::nothing: return true;
      case EncodeOp::boolean: out_.push_back(Source::template load<bool>(at) ? '\1' : '\0'); return true;
      case EncodeOp::int8: write_long(out_, Source::template load<int8_t>(at)); return true;
      case EncodeOp::int16: write_long(out_, Source::template load<int16_t>(at)); return true;
      case EncodeOp::int32: write_long(out_, Source::template load<int32_t>(at)); return true;
      case EncodeOp::int64: write_long(out_, Source::template load<int64_t>(at)); return true;
      case EncodeOp::float32: write_float(out_, Source::template load<float>(at)); return true;
      case EncodeOp::float64: write_double(out_, Source::template load<double>(at)); return true;
      case EncodeOp::bytes: write_bytes(out_, Source::bytes(at)); return true;
      case EncodeOp::enumeration: {
        const int64_t symbol = Source::symbol(at, node);
        if (symbol < 0) return fail(Source::refusal(node));
        write_long(out_, symbol);
        return true;
      }
      case EncodeOp::record: return record(node, Source::enter_record(at, node));
      case EncodeOp::array: return array(node, at);
      case EncodeOp::map: return map(node, at);
      case EncodeOp::option: {
        if (!Source::has(at, node)) return write_long(out_, node.null_branch), true;
        write_long(out_, node.branch);
        return this->node(program_.nodes[node.child], Source::held(at, node));
      }
      default: break;
    }
    if constexpr (Source::kIsRow) return row_node(node, at);
    return false;
  }

  bool record(const EncodeNode& node, At at) {
    const EncodeStep* step = program_.steps.data() + node.first;
    for (const EncodeStep* end = step + node.count; step != end; ++step) {
      if (!this->node(program_.nodes[step->node], Source::slot(at, step->slot))) [[unlikely]]
        return false;
    }
    return true;
  }

  bool array(const EncodeNode& node, At at) {
    const size_t size = Source::size(at, node);
    const EncodeNode& child = program_.nodes[node.child];
    if (size > 0) write_long(out_, static_cast<int64_t>(size));
    for (size_t i = 0; i < size; ++i) {
      if (!this->node(child, Source::item(at, node, i))) return false;
    }
    write_long(out_, 0);
    return true;
  }

  bool map(const EncodeNode& node, At at) {
    const size_t size = Source::entries(at, node);
    const EncodeNode& child = program_.nodes[node.child];
    if (size > 0) write_long(out_, static_cast<int64_t>(size));
    bool ok = true;
    Source::for_each(at, node, [&](BytesView key, At value) {
      write_bytes(out_, key);
      ok = this->node(child, value);
      return ok;
    });
    if (!ok) return false;
    write_long(out_, 0);
    return true;
  }

  // What only rows hold.
  bool row_node(const EncodeNode& node, At at) {
    switch (node.op) {
      case EncodeOp::fixed: {
        const BytesView bytes = Source::bytes(at);
        if (static_cast<int64_t>(bytes.size()) != node.size)
          return fail(fmt::format("{} bytes for a fixed type of {}", bytes.size(), node.size));
        out_.append(bytes);
        return true;
      }
      case EncodeOp::uuid:
      case EncodeOp::fixed_uuid: return Source::write_uuid(at, node.op == EncodeOp::fixed_uuid, out_), true;
      case EncodeOp::decimal: write_bytes(out_, Source::decimal(at)); return true;
      case EncodeOp::fixed_decimal: {
        const BytesView bytes = Source::decimal(at);
        if (static_cast<int64_t>(bytes.size()) > node.size)
          return fail(fmt::format("a decimal of {} bytes for a fixed type of {}", bytes.size(), node.size));
        out_.append(static_cast<size_t>(node.size) - bytes.size(),
                    static_cast<signed char>(bytes[0]) < 0 ? '\xFF' : '\0');
        out_.append(bytes);
        return true;
      }
      case EncodeOp::choice: {
        if (node.null_branch >= 0 && !Source::has(at, node)) return write_long(out_, node.null_branch), true;
        const int32_t number = Source::branch(at);
        if (number < 0 || static_cast<uint32_t>(number) >= node.count) return fail("a union without a value");
        const EncodeBranch& branch = program_.branches[node.first + static_cast<uint32_t>(number)];
        write_long(out_, branch.branch);
        return this->node(program_.nodes[branch.node], Source::branch_value(at, node));
      }
      default: return false;
    }
  }

  const EncodeProgram& program_;
  Bytes& out_;
  std::string why_;
};

}  // namespace muir::schema::avro::internal
