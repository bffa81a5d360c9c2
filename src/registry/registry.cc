#include "registry/registry.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "net/http_server.h"
#include "registry/rest_api.h"
#include "registry/service_registry_port.h"

namespace muir::registry {
namespace {

// A schema has to fit a record of the log, which brokers limit to about 1 MiB.
constexpr size_t kBodyBytesMax = 4u << 20;

// Runs tasks one after another on a thread of its own, because handlers on the event loop must not wait. Thread-safe.
class TaskThread {
 public:
  explicit TaskThread(size_t tasks_max) : tasks_max_(tasks_max), thread_([this] { run(); }) {}
  ~TaskThread() { stop(); }

  // False when too many wait already, or it is stopped.
  bool post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (stopping_ || tasks_.size() >= tasks_max_) return false;
    tasks_.push_back(std::move(task));
    changed_.notify_one();
    return true;
  }

  [[nodiscard]] size_t waiting() {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
  }

  // Drops what has not begun.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      tasks_.clear();
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    while (true) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
        if (stopping_) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

  const size_t tasks_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

// The server's own errors in the protocol's form and, where the JVM registry's server has words of its own, in those.
void give_error_form(net::HttpResponse& response, std::string_view message, std::string_view accept) {
  if (response.status == 404) message = "HTTP 404 Not Found";
  if (response.status == 405) message = "HTTP 405 Method Not Allowed";
  RestResponse error = plain_error(response.status, message, accept);
  response.content_type = std::move(error.content_type);
  response.body = std::move(error.body);
}

net::HttpResponse to_http(RestResponse response) {
  net::HttpResponse out{
      .status = response.status, .content_type = std::move(response.content_type), .body = std::move(response.body)};
  if (out.status == 503) out.headers.emplace_back("Retry-After", "1");
  return out;
}

class HttpRegistry final : public Registry {
 public:
  HttpRegistry(std::unique_ptr<RegistryService> service, RegistryOptions options)
      : options_(std::move(options)),
        service_(std::move(service)),
        serdes_port_(*service_),
        writer_(options_.queued_requests_max),
        loop_("registry"),
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
                .error_form = [](net::HttpResponse& response, std::string_view message,
                                 std::string_view accept) { give_error_form(response, message, accept); },
                .metrics = options_.metrics,
                .metrics_name = "registry"});
    if (options_.metrics_endpoint != nullptr) options_.metrics_endpoint->add_to(*server_);
    for (const auto& route : rest_routes()) {
      server_->route(route.method, route.pattern,
                     [this, &route](net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
                       handle(route, std::move(request), std::move(responder));
                     });
    }
    return server_->start();
  }

  [[nodiscard]] uint16_t port() const override { return server_->port(); }
  [[nodiscard]] std::string url() const override {
    return fmt::format("{}://{}:{}", options_.tls ? "https" : "http", options_.host, port());
  }
  RegistryPort& port_for_serdes() override { return serdes_port_; }

  void stop() override {
    if (server_ != nullptr) server_->stop();
    writer_.stop();
    loop_.stop();
  }

 private:
  void handle(const RestRoute& route, net::HttpRequest request, std::shared_ptr<net::HttpResponder> responder) {
    RestRequest rest{.method = std::move(request.method),
                     .params = std::move(request.path_params),
                     .query = std::move(request.query),
                     .body = std::move(request.body),
                     .accept = request.header_list("accept"),
                     .content_type = std::string(request.header("content-type"))};
    if (!route.writes) {
      responder->respond(to_http(call(route, *service_, rest)));
      return;
    }
    const std::string accept = rest.accept;
    const bool queued = writer_.post([this, &route, rest = std::move(rest), responder] {
      try {
        responder->respond(to_http(call(route, *service_, rest)));
      } catch (const std::exception& e) {
        log::error("{} {}: {}", rest.method, route.pattern, e.what());
        responder->respond(to_http(plain_error(500, "the request failed", rest.accept)));
      }
    });
    if (!queued) responder->respond(to_http(plain_error(503, "Too many requests wait for the log", accept)));
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
    gauge("muir_registry_waiting_writes", "Requests that wait for the log.", writer_.waiting());
    sink.counter("muir_registry_log_writes_total", "Records written to the log, or tried to.", {},
                 static_cast<double>(counts.writes));
    sink.counter("muir_registry_log_write_failures_total", "Of these, those that the log did not take.", {},
                 static_cast<double>(counts.failed_writes));
  }

  const RegistryOptions options_;
  std::unique_ptr<RegistryService> service_;
  ServiceRegistryPort serdes_port_;
  TaskThread writer_;
  net::EventLoop loop_;
  std::unique_ptr<net::HttpServer> server_;
  MetricsGroup metrics_;
};

}  // namespace

Result<std::unique_ptr<Registry>> Registry::start(client::Client& client, RegistryOptions options) {
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
