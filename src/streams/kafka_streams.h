// KafkaStreams: a topology, running.
//
//   auto app = MUIR_TRY(KafkaStreams::create(builder.build(), config, *client, {.registry = &registry}));
//   MUIR_RETURN_IF_ERROR(app->start());
//   ...
//   MUIR_RETURN_IF_ERROR(app->close(30'000));
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/kafka_ids.h"
#include "base/metrics.h"
#include "base/status.h"
#include "client/client.h"
#include "serde/erased_serde.h"
#include "serde/serde.h"
#include "streams/error_handlers.h"
#include "streams/query.h"
#include "streams/streams_config.h"
#include "streams/topology.h"
#include "streams/versioned_stores.h"

namespace muir {
class Env;
}

namespace muir::streams {

// created -> rebalancing <-> running -> pending_shutdown -> not_running; rebalancing, running -> pending_error ->
// error.
enum class StreamsState : unsigned char {
  created,
  rebalancing,
  running,
  pending_shutdown,
  not_running,
  pending_error,
  error
};
std::string_view to_string(StreamsState state);

// What becomes of the application when one of its threads ends with a failure that no handler absorbed. A thread that
// is replaced again and again begins later each time, up to 10 s.
enum class UncaughtResponse : unsigned char { replace_thread, shutdown_client, shutdown_application };

// A snapshot; totals since start.
struct StreamsMetrics {
  StreamsState state = StreamsState::created;
  int threads_alive = 0;
  int threads_failing = 0;      // replaced, and not known to have got over it: see failing()
  uint64_t threads_failed = 0;  // and were replaced
  uint64_t records_processed = 0;
  // What no result came of: null keys where one is needed, late records, invalid timestamps, failures that a handler
  // passed over. Global tables count too.
  uint64_t records_dropped = 0;
  uint64_t records_produced = 0;  // acknowledged by brokers
  uint64_t records_restored = 0;  // into local stores and global tables
  uint64_t commits = 0;
  double commit_ms_avg = 0;
  double commit_ms_max = 0;
  uint64_t rebalances = 0;
  uint64_t tasks_revived = 0;  // begun anew after an aborted transaction or silent brokers
};

// Where a key of a store lives.
struct KeyMetadata {
  std::string host;  // application.server of the instance; empty when it has none
  int32_t port = 0;
  PartitionId partition = kNoPartition;
  bool local = false;  // this instance has it, open, now
};

struct StreamsEnvironment {
  // For serdes that need a schema registry, Avro's for one: HttpRegistryClient::create(...) of schema.registry.url.
  RegistryPort* registry = nullptr;
  Clock* clock = nullptr;              // default: the machine's
  Env* files = nullptr;                // default: the machine's
  MetricsRegistry* metrics = nullptr;  // where muir_streams_* are collected; default: nowhere
  FailureHandler on_failure{};         // default: what the configuration's *.exception.handler keys say
};

// Thread-safe. Client, registries, clock and files outlive it.
class KafkaStreams {
 public:
  // Fails with the operator whose serde needs what is not there.
  static Result<std::unique_ptr<KafkaStreams>> create(const Topology& topology, StreamsConfig config,
                                                      client::Client& client, StreamsEnvironment environment = {});
  ~KafkaStreams();  // closes, without a time limit

  // Reads the global tables, then starts the threads. Once.
  Status start();
  // Commits, closes the stores and leaves the group. timed_out when the threads need longer; they end on their own.
  Status close(int64_t timeout_ms);

  [[nodiscard]] StreamsState state() const;
  // Waits until the state is `running`; the failure when it never will be.
  Status wait_until_running(int64_t timeout_ms);
  // Called on a thread of the application after each change; must not call close(). What it throws is logged, and
  // changes nothing.
  void set_state_listener(std::function<void(StreamsState to, StreamsState from)> listener);
  // Called on the thread that ends. Default: shutdown_client, which is also the answer of a handler that throws.
  void set_uncaught_exception_handler(std::function<UncaughtResponse(const Status&)> handler);
  // Why the state is `error`; OK otherwise.
  [[nodiscard]] Status failure() const;
  // Why processing has stopped, of the whole or of a part: the failure of a thread that was replaced, until its
  // successor has run for 10 s, or failure(). OK otherwise.
  [[nodiscard]] Status failing() const;
  [[nodiscard]] StreamsMetrics metrics() const;
  [[nodiscard]] const StreamsConfig& config() const;

  // Typed views of a store; not_found for a name that the topology does not have. Serdes: those that wrote the store.
  template <class K, class V>
  Result<KeyValueView<K, V>> key_value(const std::string& store, SerdeRef<K> key = default_serde<K>(),
                                       SerdeRef<V> value = default_serde<V>()) {
    MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
    MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
    return KeyValueView<K, V>(MUIR_TRY(reader(store)), std::move(key), std::move(value));
  }
  template <class K, class V>
  Result<WindowView<K, V>> window(const std::string& store, SerdeRef<K> key = default_serde<K>(),
                                  SerdeRef<V> value = default_serde<V>()) {
    MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
    MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
    return WindowView<K, V>(MUIR_TRY(reader(store)), std::move(key), std::move(value));
  }
  template <class K, class V>
  Result<VersionedView<K, V>> versioned_key_value(const std::string& store, SerdeRef<K> key = default_serde<K>(),
                                                  SerdeRef<V> value = default_serde<V>()) {
    MUIR_RETURN_IF_ERROR(key.configure(serdes(), true));
    MUIR_RETURN_IF_ERROR(value.configure(serdes(), false));
    return VersionedView<K, V>(MUIR_TRY(reader(store)), std::move(key), std::move(value));
  }
  // Stores of any kind: visit(Interface&) for each partition that this instance has; false ends it. Only what the kind
  // allows beside its owner may be called.
  template <class Interface, class F>
  Status visit_store(const std::string& store, F visit) const {
    const internal::StoreReader parts = MUIR_TRY(reader(store));
    return parts.visit([&](store::StateStore& part) -> Result<bool> {
      Interface* typed = part.as<Interface>();
      if (typed == nullptr) {
        return error(Code::invalid_argument, "query store {}: it is not a {} store", store, Interface::kFacet.name);
      }
      return visit(*typed);
    });
  }
  Result<internal::StoreReader> reader(const std::string& store) const;
  // Which instance has the serialised key; unavailable until the first assignment is known.
  Result<KeyMetadata> metadata_for_key(const std::string& store, BytesView key) const;

 private:
  class Impl;
  explicit KafkaStreams(std::unique_ptr<Impl> impl);
  [[nodiscard]] const SerdeContext& serdes() const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace muir::streams
