#include "net/rest.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <future>
#include <mutex>

#include "base/check.h"
#include "base/log.h"
#include "net/event_loop.h"
#include "net/internal/deadlines.h"
#include "net/internal/error_response.h"
#include "net/internal/router.h"
#include "net/query_check.h"
#include "net/url.h"
#include "net/work_threads.h"

namespace muir::net {
namespace {

RestError of_server(int status, std::string_view message) {
  return {.status = status, .message = std::string(message), .code = std::string(error_code_of(status))};
}

std::vector<std::string> placeholders_of(std::string_view path) {
  std::vector<std::string> names;
  for (size_t open = path.find('{'); open != std::string_view::npos; open = path.find('{', open)) {
    const size_t close = path.find('}', open);
    MUIR_CHECK(close != std::string_view::npos, "route {}: a placeholder does not end", path);
    names.emplace_back(path.substr(open + 1, close - open - 1));
    open = close;
  }
  return names;
}

// Of an answer that is made in parts, all of them; what failed is missing.
Bytes whole_body(BodySource& source) {
  Bytes all;
  for (;;) {
    std::promise<Result<Bytes>> made;
    source.next([&made](Result<Bytes> part) { made.set_value(std::move(part)); });
    const Result<Bytes> part = made.get_future().get();
    if (!part.ok() || part->empty()) return all;
    all += *part;
  }
}

// What calls share that may be answered when Rest has gone.
struct Form {
  decltype(RestOptions::form) dress;

  [[nodiscard]] HttpResponse of(const RestError& error, std::string_view accept) const {
    HttpResponse response{.status = error.status, .headers = error.headers};
    if (dress) {
      dress(response, error, accept);
    } else {
      response.own_error = error.message;
      give_form(response, {}, accept);
    }
    return response;
  }
};

// The responder of calls without a server.
class Kept final : public HttpResponder {
 public:
  void respond(HttpResponse response) override {
    const std::lock_guard lock(mutex_);
    kept_ = std::move(response);
    changed_.notify_all();
  }
  HttpResponse wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return kept_.has_value(); });
    return std::move(*kept_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<HttpResponse> kept_;
};

}  // namespace

RestError rest_unavailable(std::string message, std::string code) {
  return {.status = 503, .message = std::move(message), .code = std::move(code), .headers = {{"Retry-After", "1"}}};
}

const std::string* RestCall::find_param(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  return at == names_.end() ? nullptr : &request_.path_params[static_cast<size_t>(at - names_.begin())];
}

const std::string& RestCall::param(std::string_view name) const {
  const std::string* value = find_param(name);
  MUIR_CHECK(value != nullptr, "the route has no placeholder {}", name);
  return *value;
}

class Rest::Impl {
 public:
  Impl(std::vector<RestRoute> routes, RestOptions options)
      : options_(std::move(options)), form_(std::make_shared<const Form>(Form{options_.form})) {
    for (RestRoute& route : routes) {
      std::vector<std::string> names = placeholders_of(route.path);
      routes_.push_back(std::make_shared<const Route>(Route{std::move(route), std::move(names)}));
      const Route& added = *routes_.back();
      table_.add(added.route.method, added.route.path, &added);
    }
  }

  void add_to(HttpServer& server) {
    for (const auto& route : routes_) start_queue(route->route.work);
    for (const auto& route : routes_) {
      server.route(route->route.method, route->route.path,
                   [this, route](HttpRequest request, std::shared_ptr<HttpResponder> responder) {
                     handle(route, std::move(request), std::move(responder));
                   });
    }
  }

  [[nodiscard]] HttpErrorForm server_form() const {
    return [form = form_](HttpResponse& response, std::string_view message, std::string_view accept) {
      HttpResponse dressed = form->of(of_server(response.status, message), accept);
      response.content_type = std::move(dressed.content_type);
      response.body = std::move(dressed.body);
    };
  }

  HttpResponse answer(HttpRequest request) const {
    const std::string accept = request.header_list("accept");
    auto match = table_.find(request.method, request.raw_path);
    if (match.kind == decltype(match)::Kind::none) return form_->of(of_server(404, "not found"), accept);
    if (match.kind == decltype(match)::Kind::wrong_method) {
      RestError error = of_server(405, "method not allowed");
      error.headers.emplace_back("Allow", match.allow);
      return form_->of(error, accept);
    }
    for (const std::string& raw : match.params) {
      auto decoded = percent_decode(raw);
      if (!decoded) return form_->of(of_server(400, "malformed percent-encoding"), accept);
      request.path_params.push_back(std::move(*decoded));
    }
    const auto responder = std::make_shared<Kept>();
    const Route& found = **match.handler;
    auto call = make_call(found, nullptr, std::move(request), responder);
    if (auto refused = admit(found.route, *call)) {
      call->answer(*std::move(refused));
    } else {
      run(found.route, call);
    }
    call.reset();  // one that is dropped has its answer, too
    HttpResponse response = responder->wait();
    if (const auto source = std::exchange(response.source, nullptr)) response.body = whole_body(*source);
    return response;
  }

  [[nodiscard]] size_t waiting(RestWork work) const {
    const auto& queue = queues_[static_cast<size_t>(work)];
    return queue.threads ? queue.threads->waiting() : 0;
  }

  void stop() {
    for (const Queue& queue : queues_) {
      if (queue.threads) queue.threads->stop();
    }
    deadlines_->stop();
  }

 private:
  struct Route {
    RestRoute route;
    std::vector<std::string> names;
  };

  class Call final : public RestCall, public Deadlines::Waiting {
   public:
    // `keep`: what `names` are of, for calls that outlive Rest.
    Call(HttpRequest request, const std::vector<std::string>& names, std::shared_ptr<const void> keep,
         std::shared_ptr<const Form> form, std::shared_ptr<HttpResponder> responder,
         std::shared_ptr<Deadlines> deadlines)
        : RestCall(std::move(request), names),
          keep_(std::move(keep)),
          form_(std::move(form)),
          responder_(std::move(responder)),
          deadlines_(std::move(deadlines)) {}
    ~Call() override {
      if (!answered_) answer(of_server(500, "the request was dropped"));
    }

    [[nodiscard]] bool cancelled() const override { return answered_ || responder_->gone(); }
    void answer(RestAnswer answer) override {
      if (answered_.exchange(true)) return;
      if (deadlines_) deadlines_->remove(*this);
      auto* response = std::get_if<HttpResponse>(&answer);
      responder_->respond(response ? std::move(*response)
                                   : form_->of(std::get<RestError>(answer), request_.header_list("accept")));
    }
    void late() override {
      answer(
          rest_unavailable(fmt::format("not done within {} ms; it may yet be", deadlines_->timeout_ms()), "timed_out"));
    }

    void set_principal(Principal principal) { principal_ = std::move(principal); }

   private:
    const std::shared_ptr<const void> keep_;
    const std::shared_ptr<const Form> form_;
    const std::shared_ptr<HttpResponder> responder_;
    const std::shared_ptr<Deadlines> deadlines_;  // null: it has none
    std::atomic<bool> answered_{false};
  };

  struct Queue {
    std::unique_ptr<WorkThreads> threads;
    RestQueueOptions options;
    Counter refused;
  };

  std::shared_ptr<Call> make_call(const Route& route, std::shared_ptr<const void> keep, HttpRequest request,
                                  std::shared_ptr<HttpResponder> responder,
                                  std::shared_ptr<Deadlines> deadlines = nullptr) const {
    return std::make_shared<Call>(std::move(request), route.names, std::move(keep), form_, std::move(responder),
                                  std::move(deadlines));
  }

  // Why the call is not begun.
  [[nodiscard]] std::optional<RestError> admit(const RestRoute& route, Call& call) const {
    const HttpRequest& request = call.request();
    if (options_.authenticate && !route.open) {
      auto said = options_.authenticate(request);
      if (auto* refused = std::get_if<RestError>(&said)) return std::move(*refused);
      call.set_principal(std::get<Principal>(std::move(said)));
    }
    if (options_.check) {
      if (auto refused = options_.check(request)) return refused;
    }
    const Status query = route.query ? check_query(request.query, *route.query) : check_query(request.query);
    if (!query.ok()) return RestError{.status = 400, .message = query.message(), .code = "bad_parameter"};
    for (const auto& [name, check] : options_.params) {
      const std::string* value = call.find_param(name);
      if (value == nullptr) continue;
      if (auto refused = check(*value)) return refused;
    }
    return std::nullopt;
  }

  static void run(const RestRoute& route, const std::shared_ptr<Call>& call) {
    try {
      if (route.begin) return route.begin(call);
      call->answer(route.run(*call));
    } catch (const std::exception& e) {
      log::error("request {}: {} {}: {}", call->request().id, route.method, route.path, e.what());
      call->answer(of_server(500, "the request failed"));
    }
  }

  void handle(const std::shared_ptr<const Route>& route, HttpRequest request,
              std::shared_ptr<HttpResponder> responder) {
    const bool at_once = route->route.work == RestWork::at_once;
    const auto call =
        make_call(*route, route, std::move(request), std::move(responder), at_once ? nullptr : deadlines_);
    if (auto refused = admit(route->route, *call)) return call->answer(*std::move(refused));
    if (at_once) return run(route->route, call);
    deadlines_->add(call);
    Queue& queue = queues_[static_cast<size_t>(route->route.work)];
    const bool taken = queue.threads->post([route, call] {
      if (!call->cancelled()) return run(route->route, call);
      call->answer(rest_unavailable("the client hung up before its turn"));
    });
    if (taken) return;
    queue.refused.add();
    call->answer(rest_unavailable(queue.options.busy));
  }

  void start_queue(RestWork work) {
    Queue& queue = queues_[static_cast<size_t>(work)];
    if (work == RestWork::at_once || queue.threads) return;
    const bool slow = work == RestWork::slow;
    queue.options = slow ? options_.slow : options_.in_turn;
    queue.threads =
        std::make_unique<WorkThreads>(WorkThreadsOptions{.name = options_.metrics_name + (slow ? "-slow" : "-turn"),
                                                         .threads = slow ? std::max(queue.options.threads, 1) : 1,
                                                         .waiting_max = queue.options.waiting_max});
    const Labels labels{{"work", slow ? "slow" : "in_turn"}};
    metrics_.gauge_of("muir_http_work_waiting", "Requests that wait for a thread of their kind of work.", labels,
                      [&queue] { return static_cast<double>(queue.threads->waiting()); });
    metrics_.gauge_of("muir_http_work_running", "Requests that such a thread works on.", labels,
                      [&queue] { return static_cast<double>(queue.threads->running()); });
    metrics_.collect([&queue, labels](MetricSink& sink) {
      sink.counter("muir_http_work_refused_total", "Requests answered 503 because too many waited.", labels,
                   static_cast<double>(queue.refused.value()));
    });
  }

  const RestOptions options_;
  const std::shared_ptr<const Form> form_;
  const std::shared_ptr<Deadlines> deadlines_ = std::make_shared<Deadlines>(options_.loop, options_.timeout_ms);
  std::vector<std::shared_ptr<const Route>> routes_;
  RouteTable<const Route*> table_{options_.merge_slashes};
  std::array<Queue, 3> queues_;  // by RestWork
  MetricsGroup metrics_{options_.metrics, {{"server", options_.metrics_name}}};
};

Rest::Rest(std::vector<RestRoute> routes, RestOptions options)
    : impl_(std::make_unique<Impl>(std::move(routes), std::move(options))) {}
Rest::~Rest() { stop(); }
void Rest::add_to(HttpServer& server) { impl_->add_to(server); }
HttpErrorForm Rest::server_form() const { return impl_->server_form(); }
HttpResponse Rest::answer(HttpRequest request) const { return impl_->answer(std::move(request)); }
size_t Rest::waiting(RestWork work) const { return impl_->waiting(work); }
void Rest::stop() { impl_->stop(); }

}  // namespace muir::net
