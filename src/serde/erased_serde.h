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

// configure() is called once, before any record, by one thread. After that all methods are thread-safe.
class ErasedSerde {
 public:
  virtual ~ErasedSerde() = default;

  // Binds the serde to its surroundings; `is_key` says which half of a record it serves.
  virtual Status configure(const SerdeContext& context, bool is_key) {
    (void)context;
    (void)is_key;
    return {};
  }
  // Appends the bytes of `*value` to `out`.
  virtual Status serialize(std::string_view topic, const void* value, Bytes& out) const = 0;
  // Assigns what the bytes hold to `*out`, a live object. On an error its content is unspecified but valid.
  virtual Status deserialize(std::string_view topic, BytesView bytes, void* out) const = 0;
  // Bytes at the end of a key that do not choose its partition. Who passes on to another serde passes this on, too.
  [[nodiscard]] virtual size_t unpartitioned_bytes() const { return 0; }
};

// A shared handle, so that options with serdes can be copied; empty when default-constructed. Copies share the
// serde, and a serde is bound to keys or values by configure(): make one per use.
template <class T>
class SerdeRef {
 public:
  using value_type = T;

  SerdeRef() = default;
  explicit SerdeRef(std::shared_ptr<ErasedSerde> serde) : serde_(std::move(serde)) {}

  explicit operator bool() const { return serde_ != nullptr; }
  [[nodiscard]] const std::shared_ptr<ErasedSerde>& erased() const { return serde_; }

  Status configure(const SerdeContext& context, bool is_key) { return serde_->configure(context, is_key); }
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
