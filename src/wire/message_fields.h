// Every message of the tables as data: its fields, in the order in which they are written. For tests, which write
// messages by it without the codecs; the generator writes message_fields().
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace muir::wire {

enum class FieldKind : uint8_t {
  boolean,
  int8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uuid,
  string,
  bytes,
  records,
  structure,
};

// Both included; none unless told otherwise.
struct VersionRange {
  int16_t low = 1;
  int16_t high = 0;
  [[nodiscard]] constexpr bool holds(int16_t version) const { return version >= low && version <= high; }
  [[nodiscard]] constexpr bool empty() const { return low > high; }
};

struct StructInfo;

struct FieldInfo {
  std::string_view name;
  FieldKind kind;
  bool array;
  bool classic;  // keeps the old encoding of strings in flexible versions
  VersionRange versions;
  VersionRange nullable;  // versions in which it may be null
  int tag;                // -1: none
  int64_t initial;        // of a number: what an absent tag stands for
  const StructInfo* structure;
};

// Those without tag first, then the tagged ones in ascending order.
struct StructInfo {
  std::span<const FieldInfo> fields;
};

struct MessageFields {
  std::string_view name;  // "ProduceRequest"
  int16_t version_min;
  int16_t version_max;
  int16_t flexible_since;  // 32767: never
  const StructInfo* root;
};

// In the order of message_table().
std::span<const MessageFields> message_fields();

}  // namespace muir::wire
