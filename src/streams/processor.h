// The Processor API: operators written by hand, with state, timers and full control of what they forward.
//
// Each task makes its own processor; a processor is only ever called by the thread of its task. It may return an error
// or throw: the record then goes to the application's failure handler.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "base/check.h"
#include "base/status.h"
#include "streams/object_type.h"
#include "streams/record.h"
#include "streams/row.h"
#include "streams/stores.h"
#include "streams/task_id.h"
#include "streams/versioned_stores.h"

namespace muir::streams {

namespace internal {
class Node;
template <class P>
class TypedProcessor;
}  // namespace internal

enum class PunctuationType : unsigned char {
  stream_time,      // moves with the records' timestamps; first run at the first record
  wall_clock_time,  // first run one interval after it was scheduled
};

// Ends a schedule. Copies share it; dropping it changes nothing.
class Cancellable {
 public:
  Cancellable() = default;
  explicit Cancellable(std::shared_ptr<bool> cancelled) : cancelled_(std::move(cancelled)) {}
  void cancel() {
    if (cancelled_) *cancelled_ = true;
  }

 private:
  std::shared_ptr<bool> cancelled_;  // shared with the task's schedule
};

// What a processor knows of its surroundings. Valid from init() to close().
class ProcessingContext {
 public:
  explicit ProcessingContext(internal::Node& node) : node_(node) {}
  ProcessingContext(const ProcessingContext&) = delete;
  ProcessingContext& operator=(const ProcessingContext&) = delete;

  [[nodiscard]] const std::string& application_id() const;
  [[nodiscard]] TaskId task_id() const;
  // Where the record under way was read from; nothing in punctuators.
  [[nodiscard]] std::optional<RecordMetadata> record_metadata() const;
  // The greatest timestamp this task has seen, or -1.
  [[nodiscard]] int64_t current_stream_time_ms() const;
  [[nodiscard]] int64_t current_system_time_ms() const;
  // Runs `punctuate(now_ms)` every `interval`, of at least 1 ms; runs that were missed are skipped. Throws
  // std::invalid_argument, which ends the task like any failure, for an interval or a function that is none.
  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       std::function<Status(int64_t now_ms)> punctuate);
  // Asks for a commit soon.
  void commit();
  // Counts a record that the processor ignores, as the DSL's own operators do.
  void drop_record();

  // A store that was named when the processor was added; the types must be those it was declared with.
  template <class K, class V>
  [[nodiscard]] Result<KeyValueStore<K, V>> key_value_store(const std::string& name) {
    const StoreAccess access = MUIR_TRY(find_store(name, object_type<K>(), object_type<V>()));
    return KeyValueStore<K, V>(*MUIR_TRY(access.as<store::KeyValueStore>(name)), SerdeRef<K>(access.key),
                               SerdeRef<V>(access.value), access.topic, access.record_time_ms);
  }
  template <class K, class V>
  [[nodiscard]] Result<WindowStore<K, V>> window_store(const std::string& name) {
    const StoreAccess access = MUIR_TRY(find_store(name, object_type<K>(), object_type<V>()));
    return WindowStore<K, V>(*MUIR_TRY(access.as<store::WindowStore>(name)), SerdeRef<K>(access.key),
                             SerdeRef<V>(access.value), access.topic, access.record_time_ms);
  }
  template <class K, class V>
  [[nodiscard]] Result<VersionedKeyValueStore<K, V>> versioned_key_value_store(const std::string& name) {
    const StoreAccess access = MUIR_TRY(find_store(name, object_type<K>(), object_type<V>()));
    return VersionedKeyValueStore<K, V>(*MUIR_TRY(access.as<store::VersionedStore>(name)), SerdeRef<K>(access.key),
                                        SerdeRef<V>(access.value), access.topic);
  }
  // A store of a kind of its own, declared with a StoreBuilder.
  template <class Interface>
  [[nodiscard]] Result<Interface*> store(const std::string& name) {
    return MUIR_TRY(find_store(name, nullptr, nullptr)).template as<Interface>(name);
  }

 protected:
  Status forward_row(const Row& row);
  Status forward_row(const Row& row, const std::string& child);

 private:
  struct StoreAccess {
    store::StateStore* found = nullptr;
    std::shared_ptr<ErasedSerde> key;
    std::shared_ptr<ErasedSerde> value;
    std::string topic;
    const int64_t* record_time_ms = nullptr;

    template <class Interface>
    [[nodiscard]] Result<Interface*> as(const std::string& name) const {
      auto* typed = found->as<Interface>();
      if (typed == nullptr) {
        return error(Code::invalid_argument, "state store {} is no {} store", name, Interface::kFacet.name);
      }
      return typed;
    }
  };
  Result<StoreAccess> find_store(const std::string& name, const ObjectType* key, const ObjectType* value);
  internal::Node& node_;
};

template <class K, class V>
class ProcessorContext final : public ProcessingContext {
 public:
  using ProcessingContext::ProcessingContext;
  // To every child; returns when they are done with it.
  Status forward(const Record<K, V>& record) {
    return forward_row({record.key, record.value, record.timestamp_ms, record.headers});
  }
  // To the child of that name.
  Status forward(const Record<K, V>& record, const std::string& child) {
    return forward_row({record.key, record.value, record.timestamp_ms, record.headers}, child);
  }
};

// For KStream::process(). May change keys: what follows is repartitioned where it must be.
template <class KIn, class VIn, class KOut, class VOut>
class Processor {
 public:
  using KeyIn = KIn;
  using ValueIn = VIn;
  using KeyOut = KOut;
  using ValueOut = VOut;
  using Context = ProcessorContext<KOut, VOut>;
  virtual ~Processor() = default;
  virtual Status init(Context& context) {
    (void)context;
    return {};
  }
  virtual Status process(const Record<KIn, VIn>& record) = 0;
  virtual void close() {}

 protected:
  // From init() on.
  [[nodiscard]] Context& context() { return *context_; }

 private:
  template <class P>
  friend class internal::TypedProcessor;
  Context* context_ = nullptr;
};

// For KStream::process_values(): every record that is forwarded has the key of a record that came in.
template <class K, class VIn, class VOut>
class FixedKeyProcessor : public Processor<K, VIn, K, VOut> {};

namespace internal {

// What a function makes that returns a std::unique_ptr of a processor.
template <class P, class KIn, class VIn, class KOut, class VOut>
void as_processor(const Processor<KIn, VIn, KOut, VOut>* made, const P*);
template <class Pointer>
struct ProcessorIn {};
template <class P>
requires requires(P* made) { as_processor(made, made); }
struct ProcessorIn<std::unique_ptr<P>> {
  using Type = P;
};
template <class S>
struct Supplied {};
template <class S>
requires std::is_invocable_v<S&>
struct Supplied<S> : ProcessorIn<std::decay_t<std::invoke_result_t<S&>>> {
};

// A processor with its types erased.
class ErasedProcessor {
 public:
  virtual ~ErasedProcessor() = default;
  virtual Status init(Node& node) = 0;
  virtual Status process(const Row& row) = 0;
  virtual void close() = 0;
};

template <class P>
class TypedProcessor final : public ErasedProcessor {
 public:
  explicit TypedProcessor(std::unique_ptr<P> processor) : processor_(std::move(processor)) {}
  Status init(Node& node) override {
    if (!processor_) return error(Code::invalid_argument, "its supplier made no processor");
    context_.emplace(node);
    Base& base = *processor_;
    base.context_ = &*context_;
    return base.init(*context_);
  }
  Status process(const Row& row) override {
    return processor_->process({static_cast<const typename P::KeyIn*>(row.key),
                                static_cast<const typename P::ValueIn*>(row.value), row.timestamp_ms, row.headers});
  }
  void close() override {
    if (processor_) processor_->close();
  }

 private:
  using Base = Processor<typename P::KeyIn, typename P::ValueIn, typename P::KeyOut, typename P::ValueOut>;
  std::unique_ptr<P> processor_;
  std::optional<typename P::Context> context_;
};

}  // namespace internal
}  // namespace muir::streams
