#include "streams/kafka_streams.h"

#include "base/file.h"
#include "streams/plan/plan.h"
#include "streams/runtime/instance.h"

namespace muir::streams {
namespace {

OnFailure on_failure(ErrorPolicy policy) {
  return policy == ErrorPolicy::resume ? OnFailure::proceed : OnFailure::fail;
}

}  // namespace

std::string_view to_string(StreamsState state) {
  switch (state) {
    case StreamsState::created: return "CREATED";
    case StreamsState::rebalancing: return "REBALANCING";
    case StreamsState::running: return "RUNNING";
    case StreamsState::pending_shutdown: return "PENDING_SHUTDOWN";
    case StreamsState::not_running: return "NOT_RUNNING";
    case StreamsState::pending_error: return "PENDING_ERROR";
    case StreamsState::error: return "ERROR";
  }
  return "?";
}

class KafkaStreams::Impl {
 public:
  explicit Impl(internal::InstanceParts parts) : instance(std::move(parts)) {}
  internal::Instance instance;
};

KafkaStreams::KafkaStreams(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaStreams::~KafkaStreams() = default;

Result<std::unique_ptr<KafkaStreams>> KafkaStreams::create(const Topology& topology, StreamsConfig config,
                                                           client::Client& client, StreamsEnvironment environment) {
  internal::InstanceParts parts;
  parts.plan = MUIR_TRY(topology.plan(config.application_id, config.stores));
  parts.client = &client;
  parts.clock = environment.clock != nullptr ? environment.clock : &system_clock();
  parts.files = environment.files != nullptr ? environment.files : &system_env();
  parts.serdes.registry = environment.registry;
  parts.metrics = environment.metrics;
  MUIR_RETURN_IF_ERROR(parts.plan->bind(parts.serdes).status());
  parts.keep_sources = environment.on_failure != nullptr || !config.dead_letter_topic.empty();
  parts.on_failure = environment.on_failure
                         ? std::move(environment.on_failure)
                         : make_failure_handler({.deserialization = on_failure(config.on_deserialization_error),
                                                 .processing = on_failure(config.on_processing_error),
                                                 .production = on_failure(config.on_production_error),
                                                 .dead_letter_topic = config.dead_letter_topic});
  parts.config = std::move(config);
  return std::unique_ptr<KafkaStreams>(new KafkaStreams(std::make_unique<Impl>(std::move(parts))));
}

Status KafkaStreams::start() { return impl_->instance.start(); }
Status KafkaStreams::close(int64_t timeout_ms) { return impl_->instance.close(timeout_ms); }
StreamsState KafkaStreams::state() const { return impl_->instance.state(); }
Status KafkaStreams::wait_until_running(int64_t timeout_ms) { return impl_->instance.wait_until_running(timeout_ms); }
void KafkaStreams::set_state_listener(std::function<void(StreamsState, StreamsState)> listener) {
  impl_->instance.set_state_listener(std::move(listener));
}
void KafkaStreams::set_uncaught_exception_handler(std::function<UncaughtResponse(const Status&)> handler) {
  impl_->instance.set_uncaught_handler(std::move(handler));
}
Status KafkaStreams::failure() const { return impl_->instance.failure(); }
Status KafkaStreams::failing() const { return impl_->instance.failing(); }
StreamsMetrics KafkaStreams::metrics() const { return impl_->instance.metrics(); }
const StreamsConfig& KafkaStreams::config() const { return impl_->instance.config(); }
Result<internal::StoreReader> KafkaStreams::reader(const std::string& store) const {
  return impl_->instance.reader(store);
}
Result<KeyMetadata> KafkaStreams::metadata_for_key(const std::string& store, BytesView key) const {
  return impl_->instance.metadata_for_key(store, key);
}
const SerdeContext& KafkaStreams::serdes() const { return impl_->instance.serdes(); }

}  // namespace muir::streams
