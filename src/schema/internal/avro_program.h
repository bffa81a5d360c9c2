// The compiled form of (writer schema, reader schema): see avro_decode.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "schema/layout.h"
#include "schema/schema.h"

namespace muir::schema::avro::internal {

// What the bytes hold; where it goes is said by Node::to and the target.
enum class Op : unsigned char {
  null,
  boolean,
  int32,
  int64,
  float32,
  float64,
  bytes,  // bytes or string: a length, then that many
  fixed,
  enumeration,
  record,
  array,
  map,
  writer_union,  // a branch index, then what that branch's node says
  into_branch,   // nothing on the wire: the reader's type is a union, the datum goes into one branch
  failure,       // data that gets here cannot be read
};

struct Node {
  Op op = Op::null;
  Type to = Type::null;  // primitives: the reader's type
  uint32_t first = 0;    // record: into steps; enumeration: into symbols; writer_union: into branches
  uint32_t count = 0;
  uint32_t child = 0;              // array, map, into_branch: a node. failure: into messages
  int32_t branch = 0;              // into_branch: of the reader's union
  uint32_t slots = 0;              // record: fields of the reader
  int64_t size = 0;                // fixed
  const Layout* layout = nullptr;  // struct targets
};

enum class StepKind : unsigned char {
  read,    // decode into the slot
  skip,    // only the writer has the field
  preset,  // only the reader has it: decode its default
};

struct Step {
  StepKind kind = StepKind::read;
  uint32_t node = 0;
  uint32_t slot = 0;    // field index for Values, byte offset for structs
  uint32_t preset = 0;  // into presets
};

// Enum symbols that the reader does not know, and that have no default.
constexpr int64_t kUnknownSymbol = INT64_MIN;

// Immutable, thread-safe.
struct Program {
  std::vector<Node> nodes;
  std::vector<Step> steps;
  std::vector<int64_t> symbols;      // of writer symbol i: the reader's index, or the C++ enumerator's value
  std::vector<uint32_t> branches;    // of writer branch i: a node
  std::vector<std::string> presets;  // defaults, encoded in the reader's schema
  std::vector<std::string> messages;
  uint32_t root = 0;
  SchemaPtr writer;  // kept alive for messages
  SchemaPtr reader;
};

// `layout` is null for Values; else `reader` is its schema.
Result<std::shared_ptr<const Program>> compile(const SchemaPtr& writer, const SchemaPtr& reader, const Layout* layout);

}  // namespace muir::schema::avro::internal
