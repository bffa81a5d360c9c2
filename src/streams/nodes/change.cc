#include "streams/nodes/change.h"

#include "base/cursor.h"

namespace muir::streams::internal {
namespace {

// The last byte. Three more forms, written for versioned tables, have one byte before it that says whether the change
// is the key's latest.
enum Flag : unsigned char {
  kBefore = 0,
  kNow = 1,
  kBoth = 2,
  kBeforeVersioned = 3,
  kNowVersioned = 4,
  kBothVersioned = 5
};

}  // namespace

void append_change(const Change& change, Bytes& out) {
  ByteWriter writer(out);
  if (change.now && change.before) {
    writer.varint(static_cast<int32_t>(change.now->size()));
    writer.bytes(*change.now);
    writer.bytes(*change.before);
    writer.u8(kBoth);
  } else {
    writer.bytes(change.now ? *change.now : change.before.value_or(BytesView()));
    writer.u8(change.now ? kNow : kBefore);
  }
}

Result<Change> parse_change(BytesView bytes) {
  if (bytes.empty()) return error(Code::invalid_argument, "read change: no bytes");
  auto flag = static_cast<unsigned char>(bytes.back());
  bytes.remove_suffix(1);
  if (flag > kBothVersioned) return error(Code::invalid_argument, "read change: unknown form {}", flag);
  if (flag >= kBeforeVersioned) {
    if (bytes.empty()) return error(Code::invalid_argument, "read change: form {} without its flag", flag);
    bytes.remove_suffix(1);
    flag = static_cast<unsigned char>(flag - kBeforeVersioned);
  }
  if (flag == kBefore) return Change{std::nullopt, bytes};
  if (flag == kNow) return Change{bytes, std::nullopt};
  ByteReader reader(bytes);
  const int32_t size = reader.varint();
  if (!reader.ok() || size < 0 || static_cast<size_t>(size) > reader.remaining()) {
    return error(Code::invalid_argument, "read change: new value of {} bytes in {}", size, bytes.size());
  }
  Change out;
  out.now = reader.bytes(static_cast<size_t>(size));
  out.before = reader.rest();
  return out;
}

int fuzz_change(BytesView bytes) {
  const auto change = parse_change(bytes);
  if (!change.ok()) return 0;
  Bytes again;
  append_change(*change, again);
  const auto twice = parse_change(again);
  MUIR_CHECK(twice.ok() && twice->now == change->now && twice->before == change->before,
             "change {} does not survive its round trip", hex(bytes));
  return 1;
}

}  // namespace muir::streams::internal
