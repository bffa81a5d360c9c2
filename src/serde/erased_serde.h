// ErasedSerde: turns objects of one C++ type into bytes and back, behind a pointer without the type. SerdeRef<T>
// is the same with the type put back on.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "serde/registry_port.h"

namespace muir {

// What the program provides to its serdes when it starts; building a topology needs none of it.
struct SerdeContext {
  RegistryPort* registry = nullptr;  // borrowed; outlives the serdes. Null: serdes that need one fail to configure
};

// Immutable to its users, and thread-safe. One that needs its surroundings is a description (a type, a format, a
// subject) until it is bound: what is bound works, the description fails.
class ErasedSerde {
 public:
  virtual ~ErasedSerde() = default;

  // The serde for one application and one half of its records. Null: itself, as it needs nothing of either. May be
  // called any number of times: each application that shares the description has a serde of its own, and a registry.
  [[nodiscard]] virtual Result<std::shared_ptr<ErasedSerde>> bind(const SerdeContext& context, bool is_key) const {
    (void)context;
    (void)is_key;
    return std::shared_ptr<ErasedSerde>();
  }
  // Appends the bytes of `*value` to `out`.
  virtual Status serialize(std::string_view topic, const void* value, Bytes& out) const = 0;
  // Assigns what the bytes hold to `*out`, a live object. On an error its content is unspecified but valid.
  virtual Status deserialize(std::string_view topic, BytesView bytes, void* out) const = 0;
  // Bytes at the end of a key that do not choose its partition. Who passes on to another serde passes this on, too.
  [[nodiscard]] virtual size_t unpartitioned_bytes() const { return 0; }
};

// `serde` bound, or itself.
[[nodiscard]] inline Result<std::shared_ptr<ErasedSerde>> bound(const std::shared_ptr<ErasedSerde>& serde,
                                                                const SerdeContext& context, bool is_key) {
  auto made = MUIR_TRY(serde->bind(context, is_key));
  if (!made) return serde;
  return made;
}

// A shared handle, so that options with serdes can be copied; empty when default-constructed.
template <class T>
class SerdeRef {
 public:
  using value_type = T;

  SerdeRef() = default;
  explicit SerdeRef(std::shared_ptr<ErasedSerde> serde) : serde_(std::move(serde)) {}

  explicit operator bool() const { return serde_ != nullptr; }
  [[nodiscard]] const std::shared_ptr<ErasedSerde>& erased() const { return serde_; }

  // Binds this handle; copies that were made before stay what they are.
  Status configure(const SerdeContext& context, bool is_key) {
    serde_ = MUIR_TRY(bound(serde_, context, is_key));
    return {};
  }
  Status serialize(std::string_view topic, const T& value, Bytes& out) const {
    return serde_->serialize(topic, &value, out);
  }
  Result<T> deserialize(std::string_view topic, BytesView bytes) const {
    T value{};
    MUIR_RETURN_IF_ERROR(serde_->deserialize(topic, bytes, &value));
    return value;
  }

 private:
  std::shared_ptr<ErasedSerde> serde_;
};

}  // namespace muir
