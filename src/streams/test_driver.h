// TestDriver: runs a topology in the test's own thread, on virtual time, without a cluster. As Kafka's
// TopologyTestDriver: every topic has one partition, each record is processed to its end before the next, internal
// topics loop back at once, and wall-clock time moves only when told to.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "serde/serde.h"
#include "streams/error_handlers.h"
#include "streams/stores.h"
#include "streams/topology.h"
#include "streams/versioned_stores.h"

namespace muir::streams {

struct OwnedHeader {
  std::string name;
  OptBytes value;
  bool operator==(const OwnedHeader&) const = default;
};

template <class K, class V>
struct TestRecord {
  std::optional<K> key{};
  std::optional<V> value{};
  int64_t timestamp_ms = 0;
  std::vector<OwnedHeader> headers{};
  bool operator==(const TestRecord&) const = default;
};
// A record as its topic has it.
using RawRecord = TestRecord<Bytes, Bytes>;

template <class K, class V>
class TestInputTopic;
template <class K, class V>
class TestOutputTopic;

struct TestDriverOptions {
  std::string application_id = "test";
  ErrorHandling errors{};
  // As StreamsEnvironment::registry: a topology that needs one does not run here without it either. A MemoryRegistry
  // does.
  RegistryPort* registry = nullptr;
  int64_t wall_clock_ms = 0;  // at the start
  StoreDefaults stores{};     // of what the topology leaves open
  // Of record caches, which are flushed after each record, as Kafka's driver commits then; 0: there are none.
  int64_t cache_max_bytes = 0;
};

// Owned by one thread. Stores live in a temporary folder, which the destructor removes.
class TestDriver {
 public:
  static Result<std::unique_ptr<TestDriver>> create(const Topology& topology, TestDriverOptions options = {});
  ~TestDriver();
  TestDriver(const TestDriver&) = delete;
  TestDriver& operator=(const TestDriver&) = delete;

  // Timestamps start at `start_ms` and advance by `advance_ms` with each record that names none. A topic that the
  // topology does not read is a mistake.
  template <class K, class V>
  Result<TestInputTopic<K, V>> input(const std::string& topic, SerdeRef<K> key = default_serde<K>(),
                                     SerdeRef<V> value = default_serde<V>(), int64_t start_ms = 0,
                                     int64_t advance_ms = 0);
  // A topic that the topology cannot write is a mistake: neither a sink's, nor a changelog or repartition topic, nor
  // the dead letters'. With a sink that takes its topic from the record, it may be any.
  template <class K, class V>
  Result<TestOutputTopic<K, V>> output(const std::string& topic, SerdeRef<K> key = default_serde<K>(),
                                       SerdeRef<V> value = default_serde<V>());

  // Processes one record, and everything that follows from it. Fails when a failure ends the task.
  Status pipe(const std::string& topic, const RawRecord& record);
  // The next record that was written to a topic; nothing when all were read. Changelogs count as topics.
  std::optional<RawRecord> read(const std::string& topic);
  [[nodiscard]] size_t queue_size(const std::string& topic) const;
  [[nodiscard]] std::set<std::string> produced_topics() const;

  // Moves the wall clock and runs the timers that are due.
  Status advance_wall_clock(std::chrono::milliseconds by);
  [[nodiscard]] ManualClock& clock();
  // Commits that processors asked for.
  [[nodiscard]] int commits_requested() const;
  // Records that operators dropped: late, without key, skipped by an error handler.
  [[nodiscard]] uint64_t dropped_records() const;

  // Stores, also global ones; null when there is none of that name.
  [[nodiscard]] store::StateStore* state_store(const std::string& name);
  // A store of any kind, as one of its interfaces.
  template <class Interface>
  Result<Interface*> store(const std::string& name) {
    auto* found = state_store(name);
    auto* typed = found == nullptr ? nullptr : found->as<Interface>();
    if (typed == nullptr) return error(Code::not_found, "no {} store {}", Interface::kFacet.name, name);
    return typed;
  }
  template <class K, class V>
  Result<KeyValueStore<K, V>> key_value_store(const std::string& name, SerdeRef<K> key = default_serde<K>(),
                                              SerdeRef<V> value = default_serde<V>());
  template <class K, class V>
  Result<WindowStore<K, V>> window_store(const std::string& name, SerdeRef<K> key = default_serde<K>(),
                                         SerdeRef<V> value = default_serde<V>());
  template <class K, class V>
  Result<VersionedKeyValueStore<K, V>> versioned_key_value_store(const std::string& name,
                                                                 SerdeRef<K> key = default_serde<K>(),
                                                                 SerdeRef<V> value = default_serde<V>());
  // Ends the tasks and starts them again, with stores empty and restored from their changelogs.
  Status restart();

 private:
  struct Impl;
  explicit TestDriver(std::unique_ptr<Impl> impl);
  [[nodiscard]] Status check_input(const std::string& topic) const;
  [[nodiscard]] Status check_output(const std::string& topic) const;
  // What serdes of the test are bound to.
  [[nodiscard]] const SerdeContext& serdes() const;
  [[nodiscard]] std::string store_topic(const std::string& name) const;

  std::unique_ptr<Impl> impl_;
};

template <class K, class V>
class TestInputTopic {
 public:
  TestInputTopic(TestDriver& driver, std::string topic, SerdeRef<K> key, SerdeRef<V> value, int64_t start_ms,
                 int64_t advance_ms)
      : driver_(&driver),
        topic_(std::move(topic)),
        key_(std::move(key)),
        value_(std::move(value)),
        next_ms_(start_ms),
        advance_ms_(advance_ms) {}

  Status pipe(const TestRecord<K, V>& record) {
    RawRecord raw{.timestamp_ms = record.timestamp_ms, .headers = record.headers};
    if (record.key) MUIR_RETURN_IF_ERROR(key_.serialize(topic_, *record.key, raw.key.emplace()));
    if (record.value) MUIR_RETURN_IF_ERROR(value_.serialize(topic_, *record.value, raw.value.emplace()));
    return driver_->pipe(topic_, raw);
  }
  Status pipe(const K& key, const V& value, int64_t timestamp_ms) { return pipe({key, value, timestamp_ms}); }
  Status pipe(const K& key, const V& value) { return pipe({key, value, take_time()}); }
  // A record without value.
  Status pipe_null(const K& key, int64_t timestamp_ms) { return pipe({key, std::nullopt, timestamp_ms}); }
  void advance_time(std::chrono::milliseconds by) { next_ms_ += by.count(); }

 private:
  int64_t take_time() { return std::exchange(next_ms_, next_ms_ + advance_ms_); }

  TestDriver* driver_;
  std::string topic_;
  SerdeRef<K> key_;
  SerdeRef<V> value_;
  int64_t next_ms_;
  int64_t advance_ms_;
};

template <class K, class V>
class TestOutputTopic {
 public:
  TestOutputTopic(TestDriver& driver, std::string topic, SerdeRef<K> key, SerdeRef<V> value)
      : driver_(&driver), topic_(std::move(topic)), key_(std::move(key)), value_(std::move(value)) {}

  // out_of_range when every record was read.
  Result<TestRecord<K, V>> read() {
    auto raw = driver_->read(topic_);
    if (!raw) return error(Code::out_of_range, "read topic={}: no more records", topic_);
    TestRecord<K, V> record{.timestamp_ms = raw->timestamp_ms, .headers = std::move(raw->headers)};
    if (raw->key) record.key = MUIR_TRY(key_.deserialize(topic_, *raw->key));
    if (raw->value) record.value = MUIR_TRY(value_.deserialize(topic_, *raw->value));
    return record;
  }
  Result<std::vector<TestRecord<K, V>>> read_all() {
    std::vector<TestRecord<K, V>> out;
    while (!empty()) out.push_back(MUIR_TRY(read()));
    return out;
  }
  // The last value of each key; an absent one is a deletion.
  Result<std::map<K, std::optional<V>>> read_to_map() {
    std::map<K, std::optional<V>> out;
    while (!empty()) {
      auto record = MUIR_TRY(read());
      if (record.key) out[*record.key] = std::move(record.value);
    }
    return out;
  }
  [[nodiscard]] size_t size() const { return driver_->queue_size(topic_); }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  TestDriver* driver_;
  std::string topic_;
  SerdeRef<K> key_;
  SerdeRef<V> value_;
};

template <class K, class V>
Result<TestInputTopic<K, V>> TestDriver::input(const std::string& topic, SerdeRef<K> key, SerdeRef<V> value,
                                               int64_t start_ms, int64_t advance_ms) {
  MUIR_RETURN_IF_ERROR(check_input(topic));
  MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
  MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
  return TestInputTopic<K, V>(*this, topic, std::move(key), std::move(value), start_ms, advance_ms);
}

template <class K, class V>
Result<TestOutputTopic<K, V>> TestDriver::output(const std::string& topic, SerdeRef<K> key, SerdeRef<V> value) {
  MUIR_RETURN_IF_ERROR(check_output(topic));
  MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
  MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
  return TestOutputTopic<K, V>(*this, topic, std::move(key), std::move(value));
}

template <class K, class V>
Result<KeyValueStore<K, V>> TestDriver::key_value_store(const std::string& name, SerdeRef<K> key, SerdeRef<V> value) {
  auto* found = MUIR_TRY(store<store::KeyValueStore>(name));
  MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
  MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
  return KeyValueStore<K, V>(*found, std::move(key), std::move(value), store_topic(name));
}

template <class K, class V>
Result<WindowStore<K, V>> TestDriver::window_store(const std::string& name, SerdeRef<K> key, SerdeRef<V> value) {
  auto* found = MUIR_TRY(store<store::WindowStore>(name));
  MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
  MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
  return WindowStore<K, V>(*found, std::move(key), std::move(value), store_topic(name));
}

template <class K, class V>
Result<VersionedKeyValueStore<K, V>> TestDriver::versioned_key_value_store(const std::string& name, SerdeRef<K> key,
                                                                           SerdeRef<V> value) {
  auto* found = MUIR_TRY(store<store::VersionedStore>(name));
  MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
  MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
  return VersionedKeyValueStore<K, V>(*found, std::move(key), std::move(value), store_topic(name));
}

}  // namespace muir::streams
