// The vocabulary of the generated codecs: how each kind of field is written and read.
//
// `flex` selects the flexible encoding (KIP-482): lengths as unsigned varints plus one, structs ending in tags.
// Readers fail the cursor instead of returning errors; the generated decode() asks it once at the end.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "wire/message.h"

namespace muir::wire::codec {

// Elements that an array's vector makes room for before they have been read, where nothing else limits them: the length
// is the sender's word.
inline constexpr size_t kReserveMax = 1024;

inline void put_boolean(ByteWriter& w, bool v) { w.i8(v ? 1 : 0); }
inline void put_i8(ByteWriter& w, int8_t v) { w.i8(v); }
inline void put_i16(ByteWriter& w, int16_t v) { w.i16(v); }
inline void put_u16(ByteWriter& w, uint16_t v) { w.u16(v); }
inline void put_i32(ByteWriter& w, int32_t v) { w.i32(v); }
inline void put_u32(ByteWriter& w, uint32_t v) { w.u32(v); }
inline void put_i64(ByteWriter& w, int64_t v) { w.i64(v); }
inline void put_error(ByteWriter& w, ErrorCode v) { w.i16(static_cast<int16_t>(v)); }
inline void put_uuid(ByteWriter& w, const Uuid& v) {
  w.bytes({reinterpret_cast<const char*>(v.bytes.data()), v.bytes.size()});
}
void put_string(ByteWriter& w, BytesView v, bool flex);
void put_bytes(ByteWriter& w, BytesView v, bool flex);
void put_null_string(ByteWriter& w, bool flex);
void put_null_bytes(ByteWriter& w, bool flex);
inline void put_string_nullable(ByteWriter& w, const std::optional<std::string>& v, bool flex) {
  v ? put_string(w, *v, flex) : put_null_string(w, flex);
}
inline void put_bytes_nullable(ByteWriter& w, const OptBytes& v, bool flex) {
  v ? put_bytes(w, *v, flex) : put_null_bytes(w, flex);
}
// What a version that knows no null gets instead.
template <class T>
T or_empty(const std::optional<T>& v) {
  return v ? *v : T{};
}

void put_length(ByteWriter& w, size_t length, bool flex);
void put_records(ByteWriter& w, OptBytesView v, bool flex);
template <class T, class Put>
void put_array(ByteWriter& w, const std::vector<T>& v, bool flex, Put put) {
  put_length(w, v.size(), flex);
  for (const auto& e : v) put(e);
}
template <class T, class Put>
void put_array_nullable(ByteWriter& w, const std::optional<std::vector<T>>& v, bool flex, Put put) {
  v ? put_array(w, *v, flex, put) : put_null_bytes(w, flex);
}

// Collects the tagged fields of a struct and writes them, known and unknown, in ascending order.
class TagWriter {
 public:
  explicit TagWriter(const TaggedFields& unknown) : unknown_(unknown) {}
  template <class Put>
  void add(uint32_t tag, Put put) {
    TaggedField field{.tag = tag, .data = {}};
    ByteWriter writer(field.data);
    put(writer);
    known_.push_back(std::move(field));
  }
  void write(ByteWriter& w) const;

 private:
  const TaggedFields& unknown_;
  TaggedFields known_;
};
void put_tags(ByteWriter& w, const TaggedFields& tags);

inline void get_boolean(ByteReader& r, bool& v) { v = r.i8() != 0; }
inline void get_i8(ByteReader& r, int8_t& v) { v = r.i8(); }
inline void get_i16(ByteReader& r, int16_t& v) { v = r.i16(); }
inline void get_u16(ByteReader& r, uint16_t& v) { v = r.u16(); }
inline void get_i32(ByteReader& r, int32_t& v) { v = r.i32(); }
inline void get_u32(ByteReader& r, uint32_t& v) { v = r.u32(); }
inline void get_i64(ByteReader& r, int64_t& v) { v = r.i64(); }
inline void get_error(ByteReader& r, ErrorCode& v) { v = static_cast<ErrorCode>(r.i16()); }
void get_uuid(ByteReader& r, Uuid& v);
// Null (nullopt) is the caller's to refuse; after a failure both are empty views.
OptBytesView get_string_view(ByteReader& r, bool flex);
OptBytesView get_bytes_view(ByteReader& r, bool flex);
void get_string(ByteReader& r, std::string& v, bool flex);
void get_bytes(ByteReader& r, Bytes& v, bool flex);
void get_string_nullable(ByteReader& r, std::optional<std::string>& v, bool flex, bool null_allowed);
void get_bytes_nullable(ByteReader& r, OptBytes& v, bool flex, bool null_allowed);
inline void get_records(ByteReader& r, OptBytesView& v, bool flex) { v = get_bytes_view(r, flex); }

// Length of an array of elements of at least `least` bytes: -1 for null; fails when the input cannot hold it.
int64_t get_length(ByteReader& r, bool flex, size_t least);
// So many of them to make room for; fails when they exceed the thread's limit.
size_t take_elements(ByteReader& r, size_t elements);
template <class T, class Get>
void get_elements(ByteReader& r, std::vector<T>& v, int64_t length, Get get) {
  v.reserve(take_elements(r, static_cast<size_t>(length)));
  for (int64_t i = 0; i < length && r.ok(); ++i) get(v.emplace_back());
}
template <class T, class Get>
void get_array(ByteReader& r, std::vector<T>& v, bool flex, size_t least, Get get) {
  const int64_t length = get_length(r, flex, least);
  if (length < 0) return r.fail();
  get_elements(r, v, length, get);
}
template <class T, class Get>
void get_array_nullable(ByteReader& r, std::optional<std::vector<T>>& v, bool flex, size_t least, Get get,
                        bool null_allowed) {
  const int64_t length = get_length(r, flex, least);
  if (length < 0) {
    if (!null_allowed) r.fail();
    return;
  }
  get_elements(r, v.emplace(), length, get);
}

// Walks the tags of a struct: `known(tag, reader)` reads one and returns true, or returns false to keep it as unknown.
template <class Known>
void get_tags(ByteReader& r, TaggedFields& unknown, Known known) {
  const uint32_t count = r.uvarint();
  int64_t previous = -1;
  for (uint32_t i = 0; i < count && r.ok(); ++i) {
    const uint32_t tag = r.uvarint();
    const BytesView data = r.bytes(r.uvarint());
    if (!r.ok() || static_cast<int64_t>(tag) <= previous) return r.fail();
    previous = tag;
    ByteReader field(data);
    if (!known(tag, field)) {
      (void)take_elements(r, 1);
      unknown.push_back({tag, Bytes(data)});
    } else if (!field.ok() || field.remaining() != 0) {
      return r.fail();
    }
  }
}
void get_tags(ByteReader& r, TaggedFields& unknown);

// A nullable struct is preceded by one byte, -1 for null.
template <class T, class Put>
void put_nullable_struct(ByteWriter& w, const std::optional<T>& v, Put put) {
  w.i8(v ? 1 : -1);
  if (v) put(*v);
}
template <class T, class Get>
void get_nullable_struct(ByteReader& r, std::optional<T>& v, Get get) {
  if (r.i8() < 0 || !r.ok()) return;
  v = T{};  // not emplace(): clang asks for the members' initializers before the enclosing message is complete
  get(*v);
}

template <class M>
void check_encodable(int16_t version) {
  MUIR_CHECK(version >= M::kVersionMin && version <= M::kVersionMax, "{} has no version {}", M::kName, version);
}
Status unsupported_version(const char* message, int16_t version);
Status malformed(const char* message, int16_t version);
template <class M>
Status check_decodable(int16_t version) {
  return version >= M::kVersionMin && version <= M::kVersionMax ? Status() : unsupported_version(M::kName, version);
}
template <class M>
Status decode_status(const ByteReader& reader, int16_t version) {
  return reader.ok() ? Status() : malformed(M::kName, version);
}

}  // namespace muir::wire::codec
