#include "wire/internal/codec.h"

#include "wire/element_limit.h"
#include "wire/records_apart.h"

namespace muir::wire::codec {

void put_length(ByteWriter& w, size_t length, bool flex) {
  flex ? w.uvarint(static_cast<uint32_t>(length + 1)) : w.i32(static_cast<int32_t>(length));
}

void put_string(ByteWriter& w, BytesView v, bool flex) {
  MUIR_CHECK(v.size() <= INT16_MAX, "a string of {} bytes in a Kafka message", v.size());
  flex ? w.uvarint(static_cast<uint32_t>(v.size() + 1)) : w.i16(static_cast<int16_t>(v.size()));
  w.bytes(v);
}

void put_bytes(ByteWriter& w, BytesView v, bool flex) {
  put_length(w, v.size(), flex);
  w.bytes(v);
}

void put_records(ByteWriter& w, OptBytesView v, bool flex) {
  if (!v) return put_null_bytes(w, flex);
  RecordsApart* const apart = RecordsApart::current();
  if (apart == nullptr) return put_bytes(w, *v, flex);
  put_length(w, v->size(), flex);
  apart->add({w.size(), v->size()});
}

void put_null_string(ByteWriter& w, bool flex) { flex ? w.uvarint(0) : w.i16(-1); }
void put_null_bytes(ByteWriter& w, bool flex) { flex ? w.uvarint(0) : w.i32(-1); }

namespace {
void put_tag(ByteWriter& w, const TaggedField& field) {
  w.uvarint(field.tag);
  w.uvarint(static_cast<uint32_t>(field.data.size()));
  w.bytes(field.data);
}
}  // namespace

void put_tags(ByteWriter& w, const TaggedFields& tags) {
  w.uvarint(static_cast<uint32_t>(tags.size()));
  for (const TaggedField& field : tags) put_tag(w, field);
}

void TagWriter::write(ByteWriter& w) const {
  w.uvarint(static_cast<uint32_t>(known_.size() + unknown_.size()));
  auto next = known_.begin();
  for (const TaggedField& field : unknown_) {
    for (; next != known_.end() && next->tag < field.tag; ++next) put_tag(w, *next);
    put_tag(w, field);
  }
  for (; next != known_.end(); ++next) put_tag(w, *next);
}

void get_uuid(ByteReader& r, Uuid& v) {
  const BytesView bytes = r.bytes(v.bytes.size());
  if (r.ok()) std::copy(bytes.begin(), bytes.end(), v.bytes.begin());
}

namespace {
// A view of `length` bytes, nullopt when it is -1.
OptBytesView get_view(ByteReader& r, int64_t length) {
  if (length == -1) return std::nullopt;
  if (length < 0) {
    r.fail();
    return BytesView{};
  }
  return r.bytes(static_cast<size_t>(length));
}

void take(ByteReader& r, OptBytesView view, std::string& v) {
  if (!view) return r.fail();
  v.assign(*view);
}

void take_nullable(ByteReader& r, OptBytesView view, std::optional<std::string>& v, bool null_allowed) {
  if (!view) {
    if (!null_allowed) r.fail();
    return;
  }
  v.emplace(*view);
}
}  // namespace

OptBytesView get_string_view(ByteReader& r, bool flex) {
  const int64_t length = flex ? static_cast<int64_t>(r.uvarint()) - 1 : r.i16();
  if (length > INT16_MAX) r.fail();  // Kafka's limit in the compact encoding too
  return r.ok() ? get_view(r, length) : BytesView{};
}
OptBytesView get_bytes_view(ByteReader& r, bool flex) {
  const int64_t length = flex ? static_cast<int64_t>(r.uvarint()) - 1 : r.i32();
  return r.ok() ? get_view(r, length) : BytesView{};
}

void get_string(ByteReader& r, std::string& v, bool flex) { take(r, get_string_view(r, flex), v); }
void get_bytes(ByteReader& r, Bytes& v, bool flex) { take(r, get_bytes_view(r, flex), v); }
void get_string_nullable(ByteReader& r, std::optional<std::string>& v, bool flex, bool null_allowed) {
  take_nullable(r, get_string_view(r, flex), v, null_allowed);
}
void get_bytes_nullable(ByteReader& r, OptBytes& v, bool flex, bool null_allowed) {
  take_nullable(r, get_bytes_view(r, flex), v, null_allowed);
}

int64_t get_length(ByteReader& r, bool flex, size_t least) {
  const int64_t length = flex ? static_cast<int64_t>(r.uvarint()) - 1 : r.i32();
  if (!r.ok()) return 0;
  if (length < 0) return -1;
  if (static_cast<uint64_t>(length) > r.remaining() / least) {
    r.fail();
    return 0;
  }
  return length;
}

size_t take_elements(ByteReader& r, size_t elements) {
  ElementLimit* const limit = ElementLimit::current();
  if (limit == nullptr) return std::min(elements, kReserveMax);
  if (limit->take(elements)) return elements;
  r.fail();
  return 0;
}

void get_tags(ByteReader& r, TaggedFields& unknown) {
  get_tags(r, unknown, [](uint32_t, ByteReader&) { return false; });
}

Status unsupported_version(const char* message, int16_t version) {
  return Status(Code::unsupported, fmt::format("{}: version {} is not supported", message, version),
                kafka(ErrorCode::unsupported_version));
}

Status malformed(const char* message, int16_t version) {
  return Status(Code::invalid_argument, fmt::format("{} v{}: the bytes are truncated or malformed", message, version),
                kafka(ErrorCode::invalid_request));
}

}  // namespace muir::wire::codec
