// ObjectType: how code that does not know a type makes and assigns its objects, and tells it from others. C++ types
// have one constant table each; what is known only at run time (a row of a schema) fills one in.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "serde/serde.h"

namespace muir::streams {

// Two types are the same when they are one object; it outlives the topologies that use it (TopologyBuilder::keep()).
struct ObjectType {
  std::string_view name{};
  // Null: objects cannot be read from bytes, as their type has no default constructor.
  void* (*create)(const ObjectType& type) = nullptr;
  void (*destroy)(void* object) = nullptr;
  // Null: objects cannot be copied, and no aggregate or join can keep them.
  void (*assign)(void* to, const void* from) = nullptr;
  // Null: a serde has to be named wherever one is needed.
  std::shared_ptr<ErasedSerde> (*default_serde)(const ObjectType& type) = nullptr;
  const void* layout = nullptr;  // of a type made at run time, for its own functions
};

namespace internal {

template <class T>
constexpr std::string_view type_name() {
  const std::string_view text = __PRETTY_FUNCTION__;  // "... [with T = X; ...]" or "... [T = X]"
  const size_t begin = text.find("T = ") + 4;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

template <class T>
constexpr ObjectType describe_type() {
  ObjectType type{.name = type_name<T>(), .destroy = [](void* object) { delete static_cast<T*>(object); }};
  if constexpr (std::is_default_constructible_v<T>) {
    type.create = [](const ObjectType&) -> void* { return new T(); };
  }
  if constexpr (std::is_copy_assignable_v<T>) {
    type.assign = [](void* to, const void* from) { *static_cast<T*>(to) = *static_cast<const T*>(from); };
  }
  if constexpr (Serializable<T>) {
    type.default_serde = [](const ObjectType&) { return default_serde<T>().erased(); };
  }
  return type;
}

template <class T>
inline constexpr ObjectType kObjectType = describe_type<T>();

}  // namespace internal

template <class T>
constexpr const ObjectType* object_type() {
  return &internal::kObjectType<T>;
}

// An object of a type known by its table; reused from record to record, so that its memory is.
class ErasedObject {
 public:
  ErasedObject() = default;
  explicit ErasedObject(const ObjectType* type) : type_(type), object_(type->create(*type)) {}
  ~ErasedObject() {
    if (object_ != nullptr) type_->destroy(object_);
  }
  ErasedObject(ErasedObject&& other) noexcept : type_(other.type_), object_(std::exchange(other.object_, nullptr)) {}
  ErasedObject& operator=(ErasedObject&& other) noexcept {
    std::swap(type_, other.type_);
    std::swap(object_, other.object_);
    return *this;
  }

  [[nodiscard]] void* get() const { return object_; }
  void assign(const void* from) { type_->assign(object_, from); }

 private:
  const ObjectType* type_ = nullptr;
  void* object_ = nullptr;
};

}  // namespace muir::streams
