// describe(Fields&, T&): how a user's struct is mapped to Avro, JSON and SQL rows. One ordinary function, found by ADL:
//
//   inline void describe(muir::Fields& f, Position& p) {
//     f.name("fleet.Position");
//     f("vehicle", p.vehicle)("lat", p.lat)("speed", p.speed, {.doc = "m/s", .default_json = "0"});
//   }
//   inline void describe(muir::Symbols<Kind>& s) { s("enter", Kind::enter)("exit", Kind::exit); }
//
// It runs once per type, on a default-constructed object, to learn names and offsets; codecs then work on the
// resulting schema::Layout. Members: bool, int32_t, int64_t, float, double, std::string, system_clock time points in
// milliseconds or microseconds, enums with Symbols, described structs, and std::optional, std::vector and
// std::map<std::string, T> of all of these.
#pragma once

#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "schema/layout.h"

namespace muir {

struct FieldOptions {
  std::string_view doc{};
  std::string_view default_json{};  // what readers take when the writer did not know the field; null for std::optional
  std::string_view logical{};       // Avro logical type: "timestamp-millis", ...
  std::vector<std::string> aliases{};
  bool bytes = false;  // a std::string that holds bytes, not text
};

class Fields {
 public:
  Fields(schema::Layout& layout, const void* object, size_t object_size)
      : layout_(layout), object_(static_cast<const char*>(object)), object_size_(object_size) {}

  // Full name of the record; default: the C++ name, with dots.
  Fields& name(std::string_view full_name);
  Fields& doc(std::string_view text);
  Fields& alias(std::string_view full_name);

  template <class M>
  Fields& operator()(std::string_view field_name, M& member, const FieldOptions& options = {});

 private:
  void add(std::string_view field_name, const void* member, const schema::Layout& layout, const FieldOptions& options);

  schema::Layout& layout_;
  const char* object_;
  size_t object_size_;
};

// The names of an enum's enumerators.
template <class E>
class Symbols {
 public:
  explicit Symbols(schema::Layout& layout) : layout_(layout) {}

  Symbols& name(std::string_view full_name) {
    layout_.name = full_name;
    return *this;
  }
  Symbols& operator()(std::string_view symbol, E value) {
    layout_.symbols.emplace_back(symbol);
    layout_.values.push_back(static_cast<int64_t>(value));
    return *this;
  }
  // What a reader takes for a symbol it does not know; must be one of the symbols.
  Symbols& otherwise(std::string_view symbol) {
    layout_.default_symbol = symbol;
    return *this;
  }

 private:
  schema::Layout& layout_;
};

// T has describe(Fields&, T&).
template <class T>
concept Described = std::is_class_v<T> && std::default_initializable<T> && requires(Fields& fields, T& object) {
  describe(fields, object);
};
template <class T>
concept DescribedEnum = std::is_enum_v<T> && requires(Symbols<T>& symbols) {
  describe(symbols);
};

namespace internal {

template <class T>
struct LayoutOf;  // static void fill(schema::Layout&)

// Fills `layout` by `fill` unless that has happened or is happening (a recursive type) in this thread.
void build_layout(schema::Layout& layout, void (*fill)(schema::Layout&));
// "muir::fleet::Position" -> "muir.fleet.Position", from the compiler's text of a function template.
std::string record_name_from(std::string_view pretty_function);
const schema::Layout& bytes_layout();

template <class T>
std::string cpp_record_name() {
  return record_name_from(__PRETTY_FUNCTION__);
}

}  // namespace internal

// T can be a member of a described struct.
template <class T>
concept Describable = requires(schema::Layout& layout) {
  internal::LayoutOf<T>::fill(layout);
};

// The layout of T, built at the first call. Thread-safe.
template <class T>
const schema::Layout& layout_of() {
  static_assert(Describable<T>,
                "no layout for this type: write describe(Fields&, T&), or for an enum describe(Symbols<E>&)");
  static schema::Layout layout;
  if constexpr (Describable<T>) internal::build_layout(layout, &internal::LayoutOf<T>::fill);
  return layout;
}

template <class M>
Fields& Fields::operator()(std::string_view field_name, M& member, const FieldOptions& options) {
  static_assert(Describable<M>,
                "no layout for this member: write describe(Fields&, M&), or for an enum describe(Symbols<M>&)");
  if constexpr (Describable<M>) add(field_name, &member, layout_of<M>(), options);
  return *this;
}

// ---- layouts of the types a member may have
namespace internal {

template <schema::LayoutKind kKind>
struct PrimitiveLayout {
  static void fill(schema::Layout& layout) { layout.kind = kKind; }
};
template <>
struct LayoutOf<bool> : PrimitiveLayout<schema::LayoutKind::boolean> {};
template <>
struct LayoutOf<int32_t> : PrimitiveLayout<schema::LayoutKind::int32> {};
template <>
struct LayoutOf<int64_t> : PrimitiveLayout<schema::LayoutKind::int64> {};
template <>
struct LayoutOf<float> : PrimitiveLayout<schema::LayoutKind::float32> {};
template <>
struct LayoutOf<double> : PrimitiveLayout<schema::LayoutKind::float64> {};
template <>
struct LayoutOf<std::string> : PrimitiveLayout<schema::LayoutKind::string> {};

// A time point is its count of ticks in memory.
template <class Period>
requires std::same_as<Period, std::milli> || std::same_as<Period, std::micro>
struct LayoutOf<std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<int64_t, Period>>> {
  static void fill(schema::Layout& layout) {
    layout.kind = schema::LayoutKind::int64;
    layout.logical_type = std::same_as<Period, std::milli> ? "timestamp-millis" : "timestamp-micros";
  }
};

template <Described T>
struct LayoutOf<T> {
  static void fill(schema::Layout& layout) {
    layout.kind = schema::LayoutKind::record;
    layout.name = cpp_record_name<T>();
    T object{};
    Fields fields(layout, &object, sizeof(T));
    describe(fields, object);
  }
};

template <DescribedEnum E>
struct LayoutOf<E> {
  static constexpr schema::EnumOps kOps{
      [](const void* object) { return static_cast<int64_t>(*static_cast<const E*>(object)); },
      [](void* object, int64_t value) { *static_cast<E*>(object) = static_cast<E>(value); }};
  static void fill(schema::Layout& layout) {
    layout.kind = schema::LayoutKind::enumeration;
    layout.name = cpp_record_name<E>();
    layout.enumeration = &kOps;
    Symbols<E> symbols(layout);
    describe(symbols);
    MUIR_CHECK(!layout.symbols.empty(), "describe enum {}: no symbols", layout.name);
  }
};

template <class T>
struct LayoutOf<std::optional<T>> {
  using Object = std::optional<T>;
  static constexpr schema::OptionalOps kOps{
      [](const void* object) { return static_cast<const Object*>(object)->has_value(); },
      [](const void* object) -> const void* { return &**static_cast<const Object*>(object); },
      [](void* object) -> void* {
        auto& optional = *static_cast<Object*>(object);
        if (!optional) optional.emplace();
        return &*optional;
      },
      [](void* object) { static_cast<Object*>(object)->reset(); }};
  static void fill(schema::Layout& layout) {
    layout.kind = schema::LayoutKind::optional;
    layout.optional = &kOps;
    layout.element = &layout_of<T>();
  }
};

template <class T>
requires(!std::same_as<T, bool>) struct LayoutOf<std::vector<T>> {
  using Object = std::vector<T>;
  static constexpr schema::ArrayOps kOps{
      [](const void* object) { return static_cast<const Object*>(object)->size(); },
      [](const void* object, size_t index) -> const void* { return &(*static_cast<const Object*>(object))[index]; },
      [](void* object) { static_cast<Object*>(object)->clear(); },
      [](void* object) -> void* { return &static_cast<Object*>(object)->emplace_back(); }};
  static void fill(schema::Layout& layout) {
    layout.kind = schema::LayoutKind::array;
    layout.array = &kOps;
    layout.element = &layout_of<T>();
  }
};

template <class Object>
struct MapLayout {
  static constexpr schema::MapOps kOps{
      [](const void* object) { return static_cast<const Object*>(object)->size(); },
      [](const void* object, void* context, bool (*visit)(void*, std::string_view, const void*)) {
        for (const auto& [key, value] : *static_cast<const Object*>(object)) {
          if (!visit(context, key, &value)) return;
        }
      },
      [](void* object) { static_cast<Object*>(object)->clear(); },
      [](void* object, std::string_view key) -> void* { return &(*static_cast<Object*>(object))[std::string(key)]; }};
  static void fill(schema::Layout& layout) {
    layout.kind = schema::LayoutKind::map;
    layout.map = &kOps;
    layout.element = &layout_of<typename Object::mapped_type>();
  }
};
template <class T, class Less>
struct LayoutOf<std::map<std::string, T, Less>> : MapLayout<std::map<std::string, T, Less>> {};
template <class T>
struct LayoutOf<std::unordered_map<std::string, T>> : MapLayout<std::unordered_map<std::string, T>> {};

}  // namespace internal
}  // namespace muir
