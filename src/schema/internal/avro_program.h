// The compiled form of (writer schema, reader schema): see avro_decode.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "schema/avro_schema.h"

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

// What a target does with a datum besides keeping it.
enum class Convert : unsigned char {
  none,
  int8,  // an int within the bounds of one
  int16,
  uuid,     // of 36 characters or 16 bytes
  decimal,  // in as few bytes as hold it
};

struct Node {
  Op op = Op::null;
  Convert convert = Convert::none;
  Type to = Type::null;  // primitives: the reader's type
  uint32_t first = 0;    // record: into steps; enumeration: into symbols; writer_union: into branches
  uint32_t count = 0;
  uint32_t child = 0;           // array, map, into_branch: a node. failure: into messages
  int32_t branch = 0;           // into_branch: its number in the target
  uint32_t slots = 0;           // record: fields of the reader
  int64_t size = 0;             // fixed
  const void* place = nullptr;  // the target's own description of where the datum goes: see Places
};

enum class StepKind : unsigned char {
  read,    // decode into the slot
  skip,    // only the writer has the field
  preset,  // only the reader has it: decode its default
};

struct Step {
  StepKind kind = StepKind::read;
  uint32_t node = 0;
  uint32_t slot = 0;    // field index for Values, byte offset for structs and rows
  uint32_t preset = 0;  // into presets
};

// Enum symbols that the reader does not know, and that have no default.
constexpr int64_t kUnknownSymbol = INT64_MIN;

// Immutable, thread-safe.
struct Program {
  std::vector<Node> nodes;
  std::vector<Step> steps;
  std::vector<int64_t> symbols;      // of writer symbol i: what the target keeps
  std::vector<uint32_t> branches;    // of writer branch i: a node
  std::vector<std::string> presets;  // defaults, encoded in the reader's schema
  std::vector<std::string> messages;
  uint32_t root = 0;
  SchemaPtr writer;  // kept alive for messages
  SchemaPtr reader;
};

// How the parts of a target lie, asked while a program is made and never while it runs: one implementation for each
// kind of target. A place describes one value; it is the target's own, and null where nothing is known or needed.
class Places {
 public:
  struct Part {
    const void* place = nullptr;
    uint32_t slot = 0;   // of a field, as Step has it
    int32_t branch = 0;  // of a union, as Node has it
  };
  virtual ~Places() = default;
  virtual const void* root() const = 0;
  virtual Part field(const void* record, size_t index) const = 0;
  // Of an array's item or a map's value, of the Avro type `container`.
  virtual const void* element(const void* container, Type type) const = 0;
  virtual Part branch(const void* place, const Schema& reader_union, size_t index) const = 0;
  virtual int64_t symbol(const void* place, size_t index) const = 0;
  virtual Convert convert(const void* place) const = 0;
};
// Of Values: parts are found by index.
const Places& value_places();

// The program that reads data of `writer` as `reader` into what `places` describes.
Result<std::shared_ptr<const Program>> compile(const SchemaPtr& writer, const SchemaPtr& reader, const Places& places);

}  // namespace muir::schema::avro::internal
