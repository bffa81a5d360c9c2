#include "streams/windows.h"

#include "base/cursor.h"

namespace muir::streams {

namespace {

class AlignedWindows final : public Windows {
 public:
  explicit AlignedWindows(const TimeWindows& windows)
      : windows_(windows),
        size_ms_(windows.size.count()),
        advance_ms_(windows.advance.value_or(windows.size).count()),
        grace_ms_(windows.grace.value_or(std::chrono::milliseconds(0)).count()) {}

  Status validate() const override {
    if (size_ms_ <= 0) return error(Code::invalid_argument, "time windows: size {} ms must be positive", size_ms_);
    if (advance_ms_ <= 0 || advance_ms_ > size_ms_) {
      return error(Code::invalid_argument, "time windows: advance {} ms must be positive and at most the size, {} ms",
                   advance_ms_, size_ms_);
    }
    if (!windows_.grace) {
      return error(Code::invalid_argument,
                   "time windows of {} ms: no grace is given; say how long after its end a window takes late records, "
                   "as in {{.size = 5min, .grace = 1min}}, or .grace = 0ms for not at all",
                   size_ms_);
    }
    if (grace_ms_ < 0) return error(Code::invalid_argument, "time windows: grace {} ms is negative", grace_ms_);
    return {};
  }
  void starts(int64_t timestamp_ms, std::vector<int64_t>& out) const override {
    const int64_t earliest_ms = timestamp_ms - size_ms_ + advance_ms_;
    for (int64_t start_ms = (earliest_ms < 0 ? 0 : earliest_ms) / advance_ms_ * advance_ms_; start_ms <= timestamp_ms;
         start_ms += advance_ms_) {
      out.push_back(start_ms);
    }
  }
  int64_t size_ms() const override { return size_ms_; }
  int64_t grace_ms() const override { return grace_ms_; }
  EmitStrategy emit() const override { return windows_.emit; }

 private:
  const TimeWindows windows_;
  const int64_t size_ms_;
  const int64_t advance_ms_;
  const int64_t grace_ms_;
};

class OneWindow final : public Windows {
 public:
  explicit OneWindow(int64_t start_ms) : start_ms_(start_ms) {}

  Status validate() const override {
    if (start_ms_ >= 0) return {};
    return error(Code::invalid_argument, "unlimited windows: start {} ms is negative", start_ms_);
  }
  void starts(int64_t timestamp_ms, std::vector<int64_t>& out) const override {
    if (timestamp_ms >= start_ms_) out.push_back(start_ms_);
  }
  int64_t size_ms() const override { return INT64_MAX - start_ms_; }
  int64_t grace_ms() const override { return 0; }

 private:
  const int64_t start_ms_;
};

RuntimeWindowed* runtime(void* windowed) { return static_cast<RuntimeWindowed*>(windowed); }

}  // namespace

Status SessionWindows::validate() const {
  if (gap.count() <= 0)
    return error(Code::invalid_argument, "session windows: gap {} ms must be positive", gap.count());
  if (!grace) {
    return error(
        Code::invalid_argument,
        "session windows with a gap of {} ms: no grace is given; say how long after its end and the gap a session "
        "takes late records, as in {{.gap = 30min, .grace = 5min}}, or .grace = 0ms for not at all",
        gap.count());
  }
  if (grace_ms() < 0) return error(Code::invalid_argument, "session windows: grace {} ms is negative", grace_ms());
  return {};
}

Status SlidingWindows::validate() const {
  constexpr int64_t kLongest = INT64_MAX / 8;  // sums of times and lengths stay within 64 bits
  if (difference.count() < 0 || difference.count() > kLongest)
    return error(Code::invalid_argument, "sliding windows: difference {} ms must be from 0 to {}", difference.count(),
                 kLongest);
  if (!grace) {
    return error(Code::invalid_argument,
                 "sliding windows of {} ms: no grace is given; say how long after its end a window takes late records, "
                 "as in {{.difference = 5min, .grace = 1min}}, or .grace = 0ms for not at all",
                 difference.count());
  }
  if (grace_ms() < 0) return error(Code::invalid_argument, "sliding windows: grace {} ms is negative", grace_ms());
  return {};
}

Status JoinWindows::validate() const {
  if (size_ms() < 0) {
    return error(Code::invalid_argument, "join windows: before {} ms and after {} ms leave no time between them",
                 before.count(), after.count());
  }
  if (!grace) {
    return error(Code::invalid_argument,
                 "join windows of {} ms: no grace is given; say how late records may come, as in "
                 "{{.before = 5min, .after = 5min, .grace = 1min}}, or .grace = 0ms for not at all",
                 size_ms());
  }
  if (grace_ms() < 0) return error(Code::invalid_argument, "join windows: grace {} ms is negative", grace_ms());
  return {};
}

std::shared_ptr<const Windows> TimeWindows::erased() const { return std::make_shared<AlignedWindows>(*this); }

std::shared_ptr<const Windows> UnlimitedWindows::erased() const { return std::make_shared<OneWindow>(start.count()); }

ObjectType runtime_windowed_type(const ObjectType* key) {
  return {.name = "windowed key",
          .create = [](const ObjectType& type) -> void* {
            return new RuntimeWindowed{ErasedObject(static_cast<const ObjectType*>(type.layout)), {}};
          },
          .destroy = [](void* object) { delete runtime(object); },
          .assign =
              [](void* to, const void* from) {
                const auto& other = *static_cast<const RuntimeWindowed*>(from);
                runtime(to)->key.assign(other.key.get());
                runtime(to)->window = other.window;
              },
          .layout = key};
}

const WindowedOps* runtime_windowed_ops() {
  static constexpr WindowedOps kOps{[](void* windowed) { return runtime(windowed)->key.get(); },
                                    [](void* windowed) { return &runtime(windowed)->window; },
                                    [](void* windowed, const void* key, Window window) {
                                      runtime(windowed)->key.assign(key);
                                      runtime(windowed)->window = window;
                                    }};
  return &kOps;
}

namespace internal {

Result<std::shared_ptr<ErasedSerde>> WindowedSerde::bind(const SerdeContext& context, bool is_key) const {
  auto inner = MUIR_TRY(inner_->bind(context, is_key));
  if (!inner) return inner;
  return std::shared_ptr<ErasedSerde>(std::make_shared<WindowedSerde>(std::move(inner), ops_, size_ms_));
}

Status WindowedSerde::serialize(std::string_view topic, const void* value, Bytes& out) const {
  auto* windowed = const_cast<void*>(value);  // the accessors serve both directions; nothing is written here
  MUIR_RETURN_IF_ERROR(inner_->serialize(topic, ops_->key(windowed), out));
  ByteWriter(out).i64(ops_->window(windowed)->start_ms);
  return {};
}

Status WindowedSerde::deserialize(std::string_view topic, BytesView bytes, void* out) const {
  if (bytes.size() < kWindowStartSize) {
    return error(Code::invalid_argument, "windowed key: {} bytes, need at least {}", bytes.size(), kWindowStartSize);
  }
  const size_t key_size = bytes.size() - kWindowStartSize;
  MUIR_RETURN_IF_ERROR(inner_->deserialize(topic, bytes.substr(0, key_size), ops_->key(out)));
  const int64_t start_ms = ByteReader(bytes.substr(key_size)).i64();
  const int64_t end_ms = size_ms_ == 0 || start_ms > INT64_MAX - size_ms_ ? INT64_MAX : start_ms + size_ms_;
  *ops_->window(out) = {start_ms, end_ms};
  return {};
}

Result<std::shared_ptr<ErasedSerde>> SessionWindowedSerde::bind(const SerdeContext& context, bool is_key) const {
  auto inner = MUIR_TRY(inner_->bind(context, is_key));
  if (!inner) return inner;
  return std::shared_ptr<ErasedSerde>(std::make_shared<SessionWindowedSerde>(std::move(inner), ops_));
}

Status SessionWindowedSerde::serialize(std::string_view topic, const void* value, Bytes& out) const {
  auto* windowed = const_cast<void*>(value);  // as above
  MUIR_RETURN_IF_ERROR(inner_->serialize(topic, ops_->key(windowed), out));
  ByteWriter writer(out);
  writer.i64(ops_->window(windowed)->end_ms);
  writer.i64(ops_->window(windowed)->start_ms);
  return {};
}

Status SessionWindowedSerde::deserialize(std::string_view topic, BytesView bytes, void* out) const {
  constexpr size_t kBoundsSize = 2 * kWindowStartSize;
  if (bytes.size() < kBoundsSize) {
    return error(Code::invalid_argument, "session key: {} bytes, need at least {}", bytes.size(), kBoundsSize);
  }
  const size_t key_size = bytes.size() - kBoundsSize;
  MUIR_RETURN_IF_ERROR(inner_->deserialize(topic, bytes.substr(0, key_size), ops_->key(out)));
  ByteReader reader(bytes.substr(key_size));
  const int64_t end_ms = reader.i64();
  *ops_->window(out) = {reader.i64(), end_ms};
  return {};
}

int fuzz_session_windowed_key(BytesView bytes) {
  const auto serde = session_windowed_serde<std::string>();
  const auto key = serde.deserialize("t", bytes);
  if (!key.ok()) return 0;
  Bytes again;
  MUIR_CHECK(serde.serialize("t", *key, again).ok() && again == bytes, "session key {} does not survive its round trip",
             hex(bytes));
  return 1;
}

int fuzz_windowed_key(BytesView bytes) {
  const auto serde = windowed_serde<std::string>(std::chrono::milliseconds(10));
  const auto key = serde.deserialize("t", bytes);
  if (!key.ok()) return 0;
  Bytes again;
  MUIR_CHECK(serde.serialize("t", *key, again).ok() && again == bytes,
             "windowed key {} does not survive its round trip", hex(bytes));
  return 1;
}

}  // namespace internal
}  // namespace muir::streams
