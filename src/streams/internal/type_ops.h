// TypeOps: how code that does not know a type makes and assigns its objects. One constant table per type.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace muir::streams::internal {

struct TypeOps {
  void* (*create)();
  void (*destroy)(void*);
  void (*assign)(void* to, const void* from);
};

template <class T>
inline constexpr TypeOps kTypeOps{
    []() -> void* { return new T(); }, [](void* object) { delete static_cast<T*>(object); },
    [](void* to, const void* from) { *static_cast<T*>(to) = *static_cast<const T*>(from); }};

template <class T>
const TypeOps* type_ops() {
  static_assert(std::is_default_constructible_v<T>,
                "keys and values that are read from bytes need a default constructor");
  return &kTypeOps<T>;
}

// An object of a type known by its table; reused from record to record, so that its memory is.
class ErasedObject {
 public:
  ErasedObject() = default;
  explicit ErasedObject(const TypeOps* ops) : ops_(ops), object_(ops->create()) {}
  ~ErasedObject() {
    if (object_ != nullptr) ops_->destroy(object_);
  }
  ErasedObject(ErasedObject&& other) noexcept : ops_(other.ops_), object_(std::exchange(other.object_, nullptr)) {}
  ErasedObject& operator=(ErasedObject&& other) noexcept {
    std::swap(ops_, other.ops_);
    std::swap(object_, other.object_);
    return *this;
  }

  [[nodiscard]] void* get() const { return object_; }
  void assign(const void* from) { ops_->assign(object_, from); }

 private:
  const TypeOps* ops_ = nullptr;
  void* object_ = nullptr;
};

}  // namespace muir::streams::internal
