// Random messages as bytes, for tests. They are written by the tables as data and not by the generated codecs: what a
// codec reads from them and writes again must be the same bytes.
#pragma once

#include <cstdint>
#include <random>

#include "base/bytes.h"
#include "base/cursor.h"
#include "wire/message_fields.h"

namespace muir::wire {

// Small values, lists and strings drawn from a seed, in one version of one message. Owned by one thread.
class RandomMessage {
 public:
  RandomMessage(const MessageFields& message, int16_t version, uint64_t seed)
      : message_(message), version_(version), flexible_(version >= message.flexible_since), engine_(seed) {}

  // Appends a whole message to `out`.
  void append_to(Bytes& out) {
    ByteWriter writer(out);
    put_struct(writer, *message_.root, true);
  }

 private:
  uint64_t below(uint64_t limit) { return engine_() % limit; }
  bool flip() { return below(2) == 0; }

  // `drawn`: random contents; else what the fields are without being told.
  void put_struct(ByteWriter& w, const StructInfo& structure, bool drawn) {
    for (const FieldInfo& f : structure.fields) {
      if (f.tag < 0 && f.versions.holds(version_)) put_field(w, f, drawn);
    }
    if (flexible_) put_tags(w, structure, drawn);
  }

  void put_field(ByteWriter& w, const FieldInfo& f, bool drawn) {
    const bool flexible = flexible_ && !f.classic;
    const bool null = (f.nullable.holds(version_) || f.kind == FieldKind::records) && (!drawn || flip());
    if (f.array) {
      put_array(w, f, null, drawn);
    } else if (f.kind == FieldKind::structure) {
      if (!f.nullable.empty()) w.i8(null ? -1 : 1);
      if (!null) put_struct(w, *f.structure, drawn);
    } else if (f.kind >= FieldKind::string) {
      const bool wide = f.kind != FieldKind::string;
      null ? put_null(w, flexible, wide) : put_blob(w, flexible, wide, drawn);
    } else {
      put_number(w, f, drawn);
    }
  }

  void put_array(ByteWriter& w, const FieldInfo& f, bool null, bool drawn) {
    if (null) return put_null(w, flexible_, true);
    const uint64_t elements = drawn ? below(4) : 0;
    put_length(w, elements, flexible_, true);
    for (uint64_t i = 0; i < elements; ++i) {
      if (f.kind == FieldKind::structure) {
        put_struct(w, *f.structure, true);
      } else if (f.kind >= FieldKind::string) {
        put_blob(w, flexible_, f.kind != FieldKind::string, true);
      } else {
        put_number(w, f, true);
      }
    }
  }

  // Lengths are unsigned varints plus one in flexible versions (KIP-482); before, 2 bytes for strings and 4 for others.
  static void put_length(ByteWriter& w, uint64_t length, bool flexible, bool wide) {
    if (flexible) return w.uvarint(static_cast<uint32_t>(length + 1));
    wide ? w.i32(static_cast<int32_t>(length)) : w.i16(static_cast<int16_t>(length));
  }
  static void put_null(ByteWriter& w, bool flexible, bool wide) {
    if (flexible) return w.uvarint(0);
    wide ? w.i32(-1) : w.i16(-1);
  }
  Bytes blob() {
    Bytes bytes(below(4) == 0 ? 0 : below(200), '\0');
    for (char& c : bytes) c = static_cast<char>(engine_());
    return bytes;
  }
  void put_blob(ByteWriter& w, bool flexible, bool wide, bool drawn) {
    const Bytes bytes = drawn ? blob() : Bytes();
    put_length(w, bytes.size(), flexible, wide);
    w.bytes(bytes);
  }

  void put_number(ByteWriter& w, const FieldInfo& f, bool drawn) {
    const uint64_t value = drawn ? engine_() >> below(64) : static_cast<uint64_t>(f.initial);
    switch (f.kind) {
      case FieldKind::boolean: return w.u8(value & 1);
      case FieldKind::int8: return w.u8(static_cast<uint8_t>(value));
      case FieldKind::int16:
      case FieldKind::uint16: return w.u16(static_cast<uint16_t>(value));
      case FieldKind::int32:
      case FieldKind::uint32: return w.u32(static_cast<uint32_t>(value));
      case FieldKind::uuid: w.be(drawn ? engine_() : 0); [[fallthrough]];
      default: return w.be(value);
    }
  }

  // Tagged fields are written when they differ from what they are without being told. After them come some that no
  // table knows, as a newer peer would send: their numbers are above all of ours.
  void put_tags(ByteWriter& w, const StructInfo& structure, bool drawn) {
    Bytes tags;
    ByteWriter tag_writer(tags);
    uint32_t count = 0;
    auto add = [&](uint32_t tag, BytesView data) {
      tag_writer.uvarint(tag);
      tag_writer.uvarint(static_cast<uint32_t>(data.size()));
      tag_writer.bytes(data);
      ++count;
    };
    for (const FieldInfo& f : structure.fields) {
      if (f.tag < 0 || !drawn || !f.versions.holds(version_)) continue;
      Bytes value;
      Bytes untold;
      ByteWriter value_writer(value);
      ByteWriter untold_writer(untold);
      put_field(value_writer, f, true);
      put_field(untold_writer, f, false);
      if (value != untold) add(static_cast<uint32_t>(f.tag), value);
    }
    constexpr uint32_t kUnknownTag = 90;
    for (uint32_t tag = kUnknownTag; drawn && below(3) == 0; tag += 1 + static_cast<uint32_t>(below(5))) {
      add(tag, blob());
    }
    w.uvarint(count);
    w.bytes(tags);
  }

  const MessageFields& message_;
  int16_t version_;
  bool flexible_;
  std::mt19937_64 engine_;
};

}  // namespace muir::wire
