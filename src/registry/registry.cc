#include "registry/registry.h"

#include "base/log.h"
#include "net/http_server.h"
#include "registry/rest_api.h"
#include "registry/service_registry_port.h"

namespace muir::registry {
namespace {

// A schema has to fit a record of the log, which brokers limit to about 1 MiB.
constexpr size_t kBodyBytesMax = 4u << 20;

class HttpRegistry final : public Registry {
 public:
  HttpRegistry(std::unique_ptr<RegistryService> service, RegistryOptions options)
      : options_(std::move(options)),
        service_(std::move(service)),
        serdes_port_(*service_),
        loop_("registry"),
        rest_(rest_routes(*service_), serving()),
        metrics_(options_.metrics) {
    metrics_.collect([this](MetricSink& sink) { collect(sink); });
  }
  ~HttpRegistry() override { stop(); }

  Status listen() {
    server_ = net::HttpServer::create(
        loop_, {.host = options_.host,
                .port = options_.port,
                .body_bytes_max = kBodyBytesMax,
                .memory_bytes_max = options_.memory_bytes_max,
                .tls = options_.tls,
                .allowed_hosts = options_.allowed_hosts,
                .allowed_hosts_key = "http.allowed.hosts",
                .merge_slashes = true,  // "/compatibility/subjects/s/versions/" is what Java's client asks for
                .error_form = rest_.server_form(),
                .metrics = options_.metrics,
                .metrics_name = "registry"});
    if (options_.metrics_endpoint != nullptr) options_.metrics_endpoint->add_to(*server_);
    rest_.add_to(*server_);
    return server_->start();
  }

  [[nodiscard]] uint16_t port() const override { return server_->port(); }
  [[nodiscard]] std::string url() const override {
    return fmt::format("{}://{}:{}", options_.tls ? "https" : "http", options_.host, port());
  }
  RegistryPort& port_for_serdes() override { return serdes_port_; }

  void stop() override {
    if (server_ != nullptr) server_->stop();
    rest_.stop();
    loop_.stop();
  }

 private:
  net::RestOptions serving() {
    net::RestOptions serving = rest_options();
    serving.in_turn = {.waiting_max = options_.queued_requests_max, .busy = "Too many requests wait for the log"};
    serving.loop = &loop_;
    serving.metrics = options_.metrics;
    serving.metrics_name = "registry";
    return serving;
  }

  void collect(MetricSink& sink) {
    const RegistryCounts counts = service_->counts();
    const auto gauge = [&sink](std::string_view name, std::string_view help, auto value) {
      sink.gauge(name, help, {}, static_cast<double>(value));
    };
    gauge("muir_registry_subjects", "Subjects with a version that is not deleted.", counts.subjects);
    gauge("muir_registry_versions", "Versions of subjects that are not deleted.", counts.versions);
    gauge("muir_registry_deleted_versions", "Versions of subjects that are softly deleted.", counts.deleted_versions);
    gauge("muir_registry_max_schema_id", "Largest id given to a schema.", counts.id_max);
    gauge("muir_registry_waiting_writes", "Requests that wait for the log.", rest_.waiting(net::RestWork::in_turn));
    sink.counter("muir_registry_log_writes_total", "Records written to the log, or tried to.", {},
                 static_cast<double>(counts.writes));
    sink.counter("muir_registry_log_write_failures_total", "Of these, those that the log did not take.", {},
                 static_cast<double>(counts.failed_writes));
  }

  const RegistryOptions options_;
  std::unique_ptr<RegistryService> service_;
  ServiceRegistryPort serdes_port_;
  net::EventLoop loop_;
  net::Rest rest_;
  std::unique_ptr<net::HttpServer> server_;
  MetricsGroup metrics_;
};

}  // namespace

Result<std::unique_ptr<Registry>> Registry::start(client::Client& client, RegistryOptions options) {
  options.log.metrics = options.metrics;
  auto service = MUIR_TRY(RegistryService::start(
      make_kafka_schema_log(client, options.log),
      {.default_compatibility = options.default_compatibility, .validate_new_schemas = options.validate_new_schemas}));
  const size_t subjects = service->subjects("", false, false).size();
  auto registry = std::make_unique<HttpRegistry>(std::move(service), std::move(options));
  MUIR_RETURN_IF_ERROR(registry->listen());
  log::info("schema registry at {}: {} subjects loaded", registry->url(), subjects);
  return std::unique_ptr<Registry>(std::move(registry));
}

}  // namespace muir::registry
