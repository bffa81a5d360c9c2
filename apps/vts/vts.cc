#include "apps/vts/vts.h"

#include <atomic>
#include <thread>
#include <utility>

#include "apps/vts/api.h"
#include "apps/vts/cluster_watch.h"
#include "apps/vts/dead_letters.h"
#include "apps/vts/feed.h"
#include "apps/vts/health.h"
#include "apps/vts/json_answer.h"
#include "apps/vts/replay.h"
#include "apps/vts/schemas.h"
#include "apps/vts/topics.h"
#include "apps/vts/vts_metrics.h"
#include "apps/vts/zone_directory.h"
#include "base/file.h"
#include "base/log.h"
#include "client/topic_log.h"
#include "store/state_store.h"
#include "streams/kafka_streams.h"

namespace muir::vts {
namespace {

constexpr int kLoopThreads = 2;
constexpr int64_t kStepMs = 100;
constexpr int64_t kZonesTimeoutMs = 60'000;
constexpr int64_t kZonesToldMs = 5000;
constexpr int64_t kStopTimeoutMs = 20'000;
constexpr int64_t kMasterTimeoutMs = 60'000;
// How much of the past is shown after a start.
constexpr int64_t kAlertsTail = 2000;
constexpr int64_t kDeadLettersTail = 2000;
constexpr int64_t kSpeedsTail = 100'000;
constexpr std::string_view kAttribution =
    "Vehicle data: City of Warsaw (Miasto Sto\u0142eczne Warszawa), api.um.warszawa.pl, February 2024, processed.";

// What the cluster may answer otherwise a moment later; all else is a refusal.
bool may_pass(const Status& failure) {
  switch (failure.code()) {
    case Code::unavailable:
    case Code::timed_out:
    case Code::aborted:
    case Code::fenced:
    case Code::not_found:  // a topic that was made a moment ago
    case Code::resource_exhausted: return true;
    default: return false;
  }
}

class Running final : public Vts {
 public:
  Running(VtsOptions options, client::Client& client, RegistryPort& registry)
      : options_(std::move(options)),
        client_(client),
        registry_(registry),
        board_(system_clock(), options_.cluster_name) {}
  ~Running() override { stop(); }

  Status start() {
    const VtsConfig& config = options_.config;
    MUIR_RETURN_IF_ERROR(register_schemas(registry_, config.streams.application_id));
    const auto admin = MUIR_TRY(client_.admin());
    MUIR_RETURN_IF_ERROR(ensure_topics(*admin, config.partitions, config.retention_bytes));
    MUIR_RETURN_IF_ERROR(make_producers());
    MUIR_RETURN_IF_ERROR(follow_zones());
    MUIR_RETURN_IF_ERROR(follow_outputs());
    MUIR_RETURN_IF_ERROR(start_topology());
    return serve();
  }

  [[nodiscard]] uint16_t port() const override { return server_->port(); }
  [[nodiscard]] std::string url() const override {
    return fmt::format("{}://{}:{}", options_.config.http_tls ? "https" : "http",
                       options_.config.http_host == "0.0.0.0" ? "127.0.0.1" : options_.config.http_host, port());
  }
  Status wait_until_running(int64_t timeout_ms) override { return streams_->wait_until_running(timeout_ms); }

  Status start_demo() override {
    MUIR_RETURN_IF_ERROR(load_master_data());
    board_.set_demo(std::string(kAttribution));
    ReplayOptions replay{.url = url(), .loop = true, .tls = MUIR_TRY(trust_in_itself())};
    replay_ = std::make_unique<Replay>(options_.demo_dir + "/positions.csv.gz", replay, system_clock());
    replay_thread_ = std::thread([this] {
      (void)outputs_->wait_caught_up(kZonesTimeoutMs);  // what is known by then is enough
      std::map<std::string, SentFix> known;
      for (const ShownVehiclePtr& vehicle : view_.vehicles()) {
        const VehicleState& state = vehicle->state;
        known[state.vehicle_id] = {state.timestamp, state.lat, state.lon};
      }
      replay_->set_known(std::move(known));
      const Status status = replay_->run();
      if (!status.ok()) log::error("demo: {}", status.to_string());
    });
    return {};
  }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    view_.end();
    directory_.end();
    if (replay_) replay_->stop();
    if (replay_thread_.joinable()) replay_thread_.join();
    if (feed_) feed_->stop();
    if (server_) server_->stop();
    cluster_watch_.stop();
    if (streams_) {
      if (const Status status = streams_->close(kStopTimeoutMs); !status.ok())
        log::warn("stopping the topology: {}", status.to_string());
    }
    if (outputs_) outputs_->stop();
    if (zones_log_) zones_log_->stop();
  }

 private:
  Status make_producers() {
    const SerdeContext context{.registry = &registry_};
    // One answer per request is waited for: a short linger makes batches of concurrent requests without being felt.
    producer_ = MUIR_TRY(client_.producer({{"client.id", "muir-vts"},
                                           {"acks", "all"},
                                           {"enable.idempotence", "true"},
                                           {"linger.ms", "2"},
                                           {"delivery.timeout.ms", "20000"},
                                           {"request.timeout.ms", "10000"}}));
    SerdeRef<RawPosition> raw = default_serde<RawPosition>();
    MUIR_RETURN_IF_ERROR(raw.configure(context, false));
    gateway_.emplace(*producer_, raw, system_clock(), options_.config.gateway);
    master_.emplace(*producer_, system_clock());
    MUIR_RETURN_IF_ERROR(master_->configure(context));
    MUIR_RETURN_IF_ERROR(view_.configure(context));
    return directory_.configure(context);
  }

  // The topology starts with all zones there are: what a fix enters must not depend on how fast they load.
  Status follow_zones() {
    zones_log_ = std::make_unique<client::TopicLog>(
        client_,
        client::TopicLogOptions{
            .name = "zones",
            .read = {.topics = {{.name = std::string(kZoneMasterTopic)}, {.name = std::string(kZoneRowsTopic)}}},
            .metrics = options_.metrics},
        client::TopicHandlers{.on_records =
                                  [this](const client::PartitionRecords& records) {
                                    directory_.apply(records);
                                    view_.set_zones(directory_.zones());
                                    return Status();
                                  },
                              .on_reset =
                                  [this](const client::PartitionReset& reset) {
                                    directory_.forget(reset.partition);
                                    view_.set_zones(directory_.zones());
                                    return Status();
                                  },
                              .on_caught_up =
                                  [this] {
                                    directory_.loaded();
                                    view_.set_zones(directory_.zones());
                                  }});
    MUIR_RETURN_IF_ERROR(zones_log_->start());
    // Large zones take a while to check: waited for is progress.
    int64_t deadline = system_clock().steady_ms() + kZonesTimeoutMs;
    int64_t told = system_clock().steady_ms();
    ZoneDirectory::Progress progress;
    while (system_clock().steady_ms() < deadline && !(options_.given_up && options_.given_up())) {
      const int64_t now = system_clock().steady_ms();
      if (const auto done = directory_.progress(); done != std::exchange(progress, done))
        deadline = now + kZonesTimeoutMs;
      if (now - told >= kZonesToldMs) {
        told = now;
        log::info("zones: {} records of {} and {} read, {} of them checked", progress.records, kZoneMasterTopic,
                  kZoneRowsTopic, progress.checked);
      }
      // A cluster that does not answer is waited for; one that refuses is believed.
      const Status status = zones_log_->wait_caught_up(kStepMs);
      if (status.ok()) return {};
      if (status.code() != Code::timed_out) return status.annotate(fmt::format("reading {}", kZoneMasterTopic));
    }
    return error(Code::timed_out, "reading {}: not at its end, and nothing of it came for {} ms", kZoneMasterTopic,
                 kZonesTimeoutMs);
  }

  Status follow_outputs() {
    const std::vector<client::ReadTopic> topics{{.name = std::string(kStateTopic)},
                                                {.name = std::string(kOccupancyTopic)},
                                                {.name = std::string(kCountsTopic)},
                                                {.name = std::string(kAlertsTopic), .tail = kAlertsTail},
                                                {.name = std::string(kDlqTopic), .tail = kDeadLettersTail},
                                                {.name = std::string(kSpeedTopic), .tail = kSpeedsTail}};
    outputs_ = std::make_unique<client::TopicLog>(
        client_, client::TopicLogOptions{.name = "outputs", .read = {.topics = topics}, .metrics = options_.metrics},
        client::TopicHandlers{.on_records =
                                  [this](const client::PartitionRecords& records) {
                                    view_.apply(records);
                                    return Status();
                                  },
                              // What was cut of a topic is still so.
                              .on_reset =
                                  [this](const client::PartitionReset& reset) {
                                    if (reset.reason == client::ResetReason::made_anew)
                                      view_.forget(reset.partition.topic);
                                    return Status();
                                  },
                              .on_caught_up = [this] { board_.begin_rate(); }});
    return outputs_->start();
  }

  Status start_topology() {
    const streams::Topology topology =
        MUIR_TRY(make_topology(options_.config.topology, registry_, [this] { return directory_.zones(); }));
    SerdeRef<DeadLetter> letters = default_serde<DeadLetter>();
    MUIR_RETURN_IF_ERROR(letters.configure({.registry = &registry_}, false));
    streams_ = MUIR_TRY(streams::KafkaStreams::create(
        topology, options_.config.streams, client_,
        {.registry = &registry_, .metrics = options_.metrics, .on_failure = to_dead_letters(letters, system_clock())}));
    streams_->set_state_listener([this](streams::StreamsState to, streams::StreamsState) {
      if (to == streams::StreamsState::running) has_run_ = true;
    });
    streams_->set_uncaught_exception_handler([this](const Status& status) {
      // Before it has ever run, trying again what is refused would only hide the refusal.
      if (!has_run_ && !may_pass(status)) return streams::UncaughtResponse::shutdown_client;
      return streams::UncaughtResponse::replace_thread;  // which is logged, and told by /health
    });
    return streams_->start();
  }

  Status serve() {
    const VtsConfig& config = options_.config;
    server_ = net::HttpServer::create(loop_, {.host = config.http_host,
                                              .port = config.http_port,
                                              .memory_bytes_max = config.http_memory_bytes_max,
                                              .tls = config.http_tls,
                                              .allowed_hosts = config.http_allowed_hosts,
                                              .allowed_hosts_key = "http.allowed.hosts",
                                              .allowed_origins = config.http_allowed_origins,
                                              .metrics = options_.metrics,
                                              .metrics_name = "vts"});
    if (options_.metrics_endpoint != nullptr) options_.metrics_endpoint->add_to(*server_);
    feed_.emplace(view_, board_, FeedOptions{});
    api_.emplace(*gateway_, *master_, *zones_log_, view_, board_);
    std::vector<net::RestRoute> routes = api_->routes();
    routes.push_back({.method = "GET",
                      .path = "/health",
                      .run = [this](net::RestCall&) -> net::RestAnswer {
                        const Status silence = cluster_watch_.silence(system_clock().steady_ms());
                        const Status failing = silence.ok() ? streams_->failing() : silence;
                        return answer(health_of(streams_->state(), failing, has_run_));
                      },
                      .query = std::vector<std::string>{},
                      .open = true});
    rest_.emplace(
        std::move(routes),
        net::RestOptions{.form = dress_error, .loop = &loop_, .metrics = options_.metrics, .metrics_name = "vts"});
    rest_->add_to(*server_);
    server_->websocket("/api/v1/feed", feed_->handler());
    if (!options_.demo_dir.empty()) server_->files("/demo", options_.demo_dir);
    if (!options_.web_dir.empty()) server_->files("/", options_.web_dir);
    MUIR_RETURN_IF_ERROR(server_->start());
    cluster_watch_.start();
    feed_->start();
    if (options_.metrics == nullptr) return {};
    stores_metrics_ = store::rocksdb_metrics(*options_.metrics);
    watched_ = watch_vts(*options_.metrics, {.gateway = *gateway_, .view = view_, .board = board_, .feed = *feed_});
    return {};
  }

  // For the demo, which posts to this server by its address: its own certificate is the one to trust.
  [[nodiscard]] Result<std::shared_ptr<const net::TlsContext>> trust_in_itself() const {
    if (!options_.config.http_tls) return std::shared_ptr<const net::TlsContext>();
    net::TlsOptions trust{.check_host = false};
    net::TlsPemTexts own = MUIR_TRY(net::tls_pem_texts(options_.config.http_tls_options));
    trust.trusted_certificates.text = own.certificate_chain;
    if (options_.config.http_tls_options.client_auth != net::TlsClientAuth::none) {
      trust.certificate_chain.text = std::move(own.certificate_chain);
      trust.private_key.text = std::move(own.private_key);
    }
    return net::TlsContext::client(trust);
  }

  Status load_master_data() {
    const auto admin = MUIR_TRY(client_.admin());
    const bool no_vehicles = MUIR_TRY(is_empty(*admin, kVehicleMasterTopic));
    const bool no_zones = MUIR_TRY(is_empty(*admin, kZoneMasterTopic));
    std::vector<NamedVehicle> vehicles;
    std::vector<ZoneMaster> zones;
    if (no_vehicles) {
      const Bytes text = MUIR_TRY(system_env().read_file(options_.demo_dir + "/vehicles.csv"));
      vehicles = MUIR_TRY(parse_vehicles_csv(text));
    }
    if (no_zones) {
      const Bytes text = MUIR_TRY(system_env().read_file(options_.demo_dir + "/districts.geojson"));
      zones = MUIR_TRY(parse_zones_geojson(text));
    }
    MUIR_RETURN_IF_ERROR(master_->load(vehicles, zones, kMasterTimeoutMs));
    // A vehicle's first fix enters nothing; were the zones not known by then, its second one would enter them all.
    if (directory_.wait_for(zones.size(), kMasterTimeoutMs)) return {};
    return error(Code::timed_out, "the demo's zones were not read back within {} ms", kMasterTimeoutMs);
  }

  static Result<bool> is_empty(client::Admin& admin, std::string_view topic) {
    const auto description = MUIR_TRY(admin.describe_topic(std::string(topic)));
    std::vector<client::TopicPartition> partitions;
    for (int32_t p = 0; p < description.partitions; ++p) partitions.push_back({std::string(topic), PartitionId(p)});
    const auto ends = MUIR_TRY(
        admin.list_offsets(partitions, client::OffsetSpec::latest(), client::IsolationLevel::read_uncommitted));
    return std::all_of(ends.begin(), ends.end(), [](const auto& end) { return end.second == Offset(0); });
  }

  const VtsOptions options_;
  client::Client& client_;
  RegistryPort& registry_;
  View view_;
  ZoneDirectory directory_;
  ClusterWatch cluster_watch_{client_};
  StatsBoard board_;
  net::EventLoop loop_{"vts-http", kLoopThreads};
  std::unique_ptr<client::Producer> producer_;
  std::optional<Gateway> gateway_;
  std::optional<MasterWriter> master_;
  std::unique_ptr<client::TopicLog> zones_log_;
  std::unique_ptr<client::TopicLog> outputs_;
  std::atomic<bool> has_run_{false};  // the topology, before or now
  std::unique_ptr<streams::KafkaStreams> streams_;
  std::optional<Feed> feed_;
  std::optional<Api> api_;
  std::optional<net::Rest> rest_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<Replay> replay_;
  std::thread replay_thread_;
  bool stopped_ = false;
  std::unique_ptr<MetricsGroup> stores_metrics_;
  std::unique_ptr<MetricsGroup> watched_;  // last: it reads what is above
};

}  // namespace

Result<std::unique_ptr<Vts>> Vts::start(VtsOptions options, client::Client& client, RegistryPort& registry) {
  auto vts = std::make_unique<Running>(std::move(options), client, registry);
  MUIR_RETURN_IF_ERROR(vts->start());
  return std::unique_ptr<Vts>(std::move(vts));
}

}  // namespace muir::vts
