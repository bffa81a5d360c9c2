// Windows: which of them a timestamp falls into, and Windowed<K>, the key of what is computed per window.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serde/serde.h"
#include "streams/object_type.h"

namespace muir::streams {

// [start, end).
struct Window {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  auto operator<=>(const Window&) const = default;
};

// When a windowed aggregation tells what it has.
enum class EmitStrategy : unsigned char {
  on_window_update,  // at every record
  on_window_close,   // once per window, when stream time has passed its end and the grace
};

// A kind of windows that all have one size; immutable. To add one, derive from it: every windowed aggregation takes it.
class Windows {
 public:
  virtual ~Windows() = default;
  // What is wrong with its settings, for build() to tell.
  [[nodiscard]] virtual Status validate() const = 0;
  // Appends the starts of the windows that hold a timestamp, ascending; none is negative.
  virtual void starts(int64_t timestamp_ms, std::vector<int64_t>& out) const = 0;
  [[nodiscard]] virtual int64_t size_ms() const = 0;
  // How long after its end a window still takes late records.
  [[nodiscard]] virtual int64_t grace_ms() const = 0;
  [[nodiscard]] virtual EmitStrategy emit() const { return EmitStrategy::on_window_update; }
};

// Fixed-size windows in event time, aligned to the epoch: tumbling, or hopping when `advance` is smaller than `size`.
struct TimeWindows {
  std::chrono::milliseconds size{0};
  std::optional<std::chrono::milliseconds> advance{};  // absent: size
  // How long after its end a window still takes late records. Has to be said, 0ms for not at all: no value suits all.
  std::optional<std::chrono::milliseconds> grace{};
  EmitStrategy emit = EmitStrategy::on_window_update;

  [[nodiscard]] std::shared_ptr<const Windows> erased() const;
};

// One window, from `start` on, that never ends: its aggregates are kept until they are deleted.
struct UnlimitedWindows {
  std::chrono::milliseconds start{0};  // since the epoch; records before it belong to no window

  [[nodiscard]] std::shared_ptr<const Windows> erased() const;
};

// Sessions: records of a key at most `gap` apart, both ends included. A record between two sessions makes one of them.
struct SessionWindows {
  std::chrono::milliseconds gap{0};
  // How long after its end and the gap a session still takes late records. Has to be said, 0ms for not at all.
  std::optional<std::chrono::milliseconds> grace{};
  EmitStrategy emit = EmitStrategy::on_window_update;

  [[nodiscard]] int64_t grace_ms() const { return grace ? grace->count() : 0; }
  // What is wrong with them, for build() to tell.
  [[nodiscard]] Status validate() const;
};

// Windows as long as `difference`, both ends included, wherever records are: one ends with each record, and one begins
// behind each that has later ones. A record belongs to every window that holds its time, so two records at most
// `difference` apart meet in one.
struct SlidingWindows {
  std::chrono::milliseconds difference{0};
  // How long after its end a window still takes late records. Has to be said, 0ms for not at all.
  std::optional<std::chrono::milliseconds> grace{};
  EmitStrategy emit = EmitStrategy::on_window_update;

  [[nodiscard]] int64_t grace_ms() const { return grace ? grace->count() : 0; }
  // What is wrong with them, for build() to tell.
  [[nodiscard]] Status validate() const;
};

// How far apart the records of two streams may be to be joined: the right one's timestamp lies from `before` below the
// left one's to `after` above it, both included. Negative ones leave a part out: {.before = -1s, .after = 5s} joins
// what comes one to five seconds later.
struct JoinWindows {
  std::chrono::milliseconds before{0};
  std::chrono::milliseconds after{0};
  // How late records may come. For left and outer joins also how long it takes until a record is told to have no
  // partner. Has to be said, 0ms for not at all: no value suits all.
  std::optional<std::chrono::milliseconds> grace{};

  // Records at most `difference` apart, whichever is first.
  static JoinWindows of(std::chrono::milliseconds difference, std::chrono::milliseconds grace) {
    return {.before = difference, .after = difference, .grace = grace};
  }
  [[nodiscard]] int64_t size_ms() const { return before.count() + after.count(); }
  [[nodiscard]] int64_t grace_ms() const { return grace ? grace->count() : 0; }
  // What is wrong with them, for build() to tell.
  [[nodiscard]] Status validate() const;
};

// What a key had in a window. Written to topics as the key's bytes and 8 bytes of window start; of sessions, whose end
// is the time of their last record, as the key's bytes and 8 bytes each of end and start.
template <class K>
struct Windowed {
  K key{};
  Window window{};
  auto operator<=>(const Windowed&) const = default;
};

// "[key@start/end]".
template <class K>
std::string to_string(const Windowed<K>& windowed) {
  return fmt::format("[{}@{}/{}]", windowed.key, windowed.window.start_ms, windowed.window.end_ms);
}

// The parts of a windowed key, for code that does not know its type.
struct WindowedOps {
  void* (*key)(void* windowed);
  Window* (*window)(void* windowed);
  void (*assign)(void* windowed, const void* key, Window window);
};

// A key's type with a window added.
struct WindowedType {
  const ObjectType* type = nullptr;
  const WindowedOps* ops = nullptr;
};

// The windowed form of a key whose type is known only at run time.
struct RuntimeWindowed {
  ErasedObject key;
  Window window{};
};
// Its type: an ObjectType for TopologyBuilder::keep(), which goes with runtime_windowed_ops().
ObjectType runtime_windowed_type(const ObjectType* key);
const WindowedOps* runtime_windowed_ops();

namespace internal {

template <class K>
inline constexpr WindowedOps kWindowedOps{
    [](void* windowed) -> void* { return &static_cast<Windowed<K>*>(windowed)->key; },
    [](void* windowed) { return &static_cast<Windowed<K>*>(windowed)->window; },
    [](void* windowed, const void* key, Window window) {
      auto& out = *static_cast<Windowed<K>*>(windowed);
      out.key = *static_cast<const K*>(key);
      out.window = window;
    }};

// Bytes of the window start at the end of a windowed key.
inline constexpr size_t kWindowStartSize = 8;

// Of a key that may be a windowed one; null: it is none.
template <class K>
inline constexpr const WindowedOps* kOpsOfKey = nullptr;
template <class K>
inline constexpr const WindowedOps* kOpsOfKey<Windowed<K>> = &kWindowedOps<K>;

// The serde of Windowed<K> over that of K. With size 0, which a reader may not know, windows are read without an end
// (INT64_MAX).
class WindowedSerde final : public ErasedSerde {
 public:
  WindowedSerde(std::shared_ptr<ErasedSerde> inner, const WindowedOps* ops, int64_t size_ms)
      : inner_(std::move(inner)), ops_(ops), size_ms_(size_ms) {}
  Result<std::shared_ptr<ErasedSerde>> bind(const SerdeContext& context, bool is_key) const override;
  Status serialize(std::string_view topic, const void* value, Bytes& out) const override;
  Status deserialize(std::string_view topic, BytesView bytes, void* out) const override;
  // All windows of a key are in one partition.
  [[nodiscard]] size_t unpartitioned_bytes() const override { return kWindowStartSize; }

 private:
  std::shared_ptr<ErasedSerde> inner_;  // shared with the options it came from
  const WindowedOps* ops_;
  const int64_t size_ms_;
};

// The same of sessions.
class SessionWindowedSerde final : public ErasedSerde {
 public:
  SessionWindowedSerde(std::shared_ptr<ErasedSerde> inner, const WindowedOps* ops)
      : inner_(std::move(inner)), ops_(ops) {}
  Result<std::shared_ptr<ErasedSerde>> bind(const SerdeContext& context, bool is_key) const override;
  Status serialize(std::string_view topic, const void* value, Bytes& out) const override;
  Status deserialize(std::string_view topic, BytesView bytes, void* out) const override;
  // All windows of a key are in one partition.
  [[nodiscard]] size_t unpartitioned_bytes() const override { return 2 * kWindowStartSize; }

 private:
  std::shared_ptr<ErasedSerde> inner_;  // shared with the options it came from
  const WindowedOps* ops_;
};

// Decodes a windowed key with text inside, and checks that encoding gives the bytes back.
int fuzz_windowed_key(BytesView bytes);
int fuzz_session_windowed_key(BytesView bytes);

}  // namespace internal

template <class K>
SerdeRef<Windowed<K>> windowed_serde(std::chrono::milliseconds size, SerdeRef<K> inner = default_serde<K>()) {
  return SerdeRef<Windowed<K>>(
      std::make_shared<internal::WindowedSerde>(inner.erased(), &internal::kWindowedOps<K>, size.count()));
}

template <class K>
SerdeRef<Windowed<K>> session_windowed_serde(SerdeRef<K> inner = default_serde<K>()) {
  return SerdeRef<Windowed<K>>(
      std::make_shared<internal::SessionWindowedSerde>(inner.erased(), &internal::kWindowedOps<K>));
}

}  // namespace muir::streams

template <class K>
struct muir::serde<muir::streams::Windowed<K>> {
  static SerdeRef<muir::streams::Windowed<K>> make() {
    return muir::streams::windowed_serde<K>(std::chrono::milliseconds(0));
  }
};
