// serde<T>: the bytes of a C++ type on a Kafka topic, chosen by the type.
//
//   SerdeRef<int64_t> counts = default_serde<int64_t>();     // Kafka's LongSerializer: 8 bytes, big-endian
//   SerdeRef<Position> values = default_serde<Position>();   // described struct: Avro with a schema registry
//   SerdeRef<Position> plain = json<Position>();             // the same struct as JSON text
//
// To give a type of your own its bytes, either write describe(Fields&, T&) (see serde/fields.h), or specialise
// muir::serde<T> with
//   static void encode(const T& value, Bytes& out);          // appends
//   static Status decode(BytesView bytes, T& out);
// or with
//   static SerdeRef<T> make();
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>

#include "base/cursor.h"
#include "serde/erased_serde.h"
#include "serde/fields.h"

namespace muir {

template <class T>
struct serde;  // see above

struct AvroOptions {
  std::string subject{};      // empty: Kafka's default, "<topic>-key" or "<topic>-value"
  bool auto_register = true;  // false: the schema must be registered already
  // Reads only what a schema of the same name wrote, without its namespace, as Avro's specification has it. Java's
  // reader, and this one by default, take any record that has the fields that are needed; where none is, that is any.
  bool same_name = false;
};

// Avro in Confluent's wire format: 0, schema id in 4 bytes, the datum. Reads what any earlier or later schema wrote, by
// Avro's resolution rules. Needs a registry in the SerdeContext.
std::shared_ptr<ErasedSerde> make_avro_serde(const schema::Layout& layout, AvroOptions options);
// UTF-8 JSON text, without a registry; unknown members are skipped, absent ones take their default.
std::shared_ptr<ErasedSerde> make_json_serde(const schema::Layout& layout);

template <class T>
SerdeRef<T> avro(AvroOptions options = {}) {
  static_assert(Describable<T>, "avro<T> needs describe(Fields&, T&)");
  return SerdeRef<T>(make_avro_serde(layout_of<T>(), std::move(options)));
}
template <class T>
SerdeRef<T> json() {
  static_assert(Describable<T>, "json<T> needs describe(Fields&, T&)");
  return SerdeRef<T>(make_json_serde(layout_of<T>()));
}

namespace internal {
template <class T>
concept EncodingSerde = requires(const T& value, T& object, Bytes& out, BytesView bytes) {
  serde<T>::encode(value, out);
  { serde<T>::decode(bytes, object) } -> std::same_as<Status>;
};
template <class T>
concept MakingSerde = requires {
  { serde<T>::make() } -> std::same_as<SerdeRef<T>>;
};

template <class T>
class PlainSerde final : public ErasedSerde {
 public:
  Status serialize(std::string_view, const void* value, Bytes& out) const override {
    serde<T>::encode(*static_cast<const T*>(value), out);
    return {};
  }
  Status deserialize(std::string_view, BytesView bytes, void* out) const override {
    return serde<T>::decode(bytes, *static_cast<T*>(out));
  }
};

Status wrong_size(std::string_view type, size_t expected, size_t actual);

// Kafka's fixed-width big-endian numbers.
template <class T, class Bits>
struct FixedSerde {
  static void encode(const T& value, Bytes& out) { ByteWriter(out).be(std::bit_cast<Bits>(value)); }
  static Status decode(BytesView bytes, T& out) {
    if (bytes.size() != sizeof(T))
      return wrong_size(std::is_floating_point_v<T> ? "float" : "integer", sizeof(T), bytes.size());
    out = std::bit_cast<T>(ByteReader(bytes).be<Bits>());
    return {};
  }
};
}  // namespace internal

// T can be on a topic without naming a serde.
template <class T>
concept Serializable = internal::EncodingSerde<T> || internal::MakingSerde<T>;

// A new serde of the kind the type implies.
template <class T>
SerdeRef<T> default_serde() {
  static_assert(Serializable<T>, "no serde<T>: specialise muir::serde<T> or write describe(Fields&, T&)");
  if constexpr (internal::MakingSerde<T>) {
    return serde<T>::make();
  } else if constexpr (internal::EncodingSerde<T>) {
    return SerdeRef<T>(std::make_shared<internal::PlainSerde<T>>());
  } else {
    return {};
  }
}

template <>
struct serde<int16_t> : internal::FixedSerde<int16_t, uint16_t> {};
template <>
struct serde<int32_t> : internal::FixedSerde<int32_t, uint32_t> {};
template <>
struct serde<int64_t> : internal::FixedSerde<int64_t, uint64_t> {};
template <>
struct serde<float> : internal::FixedSerde<float, uint32_t> {};
template <>
struct serde<double> : internal::FixedSerde<double, uint64_t> {};

template <>
struct serde<bool> {
  static void encode(const bool& value, Bytes& out) { out.push_back(value ? '\1' : '\0'); }
  static Status decode(BytesView bytes, bool& out);
};

// Text and raw bytes alike: the bytes as they are.
template <>
struct serde<std::string> {
  static void encode(const std::string& value, Bytes& out) { out.append(value); }
  static Status decode(BytesView bytes, std::string& out) {
    out.assign(bytes);
    return {};
  }
};

template <Described T>
struct serde<T> {
  static SerdeRef<T> make() { return avro<T>(); }
};

inline SerdeRef<std::string> string_serde() { return default_serde<std::string>(); }
inline SerdeRef<Bytes> bytes_serde() { return default_serde<Bytes>(); }

}  // namespace muir
