#include "net/metrics_endpoint.h"

#include <map>
#include <mutex>

#include "base/metrics_text.h"
#include "net/internal/error_response.h"

namespace muir::net {

void MetricsEndpoint::add_to(HttpServer& server) {
  server.route("GET", "/metrics", [this](const HttpRequest& request, std::shared_ptr<HttpResponder> responder) {
    // Accept may be sent as several lines, which mean the same as one.
    std::string accept;
    for (const auto& [name, value] : request.headers) {
      if (name == "accept") accept += (accept.empty() ? "" : ",") + value;
    }
    ask({.accept = std::move(accept), .responder = std::move(responder)});
  });
}

void MetricsEndpoint::ask(Waiting waiting) {
  std::unique_lock lock(mutex_);
  if (stopped_ || waiting_.size() >= kWaitingMax) {
    const bool ends = stopped_;
    lock.unlock();
    HttpResponse busy = error_response(503, ends ? "the server ends" : "too many requests for metrics at a time");
    busy.headers.emplace_back("Retry-After", "1");
    return waiting.responder->respond(std::move(busy));
  }
  waiting_.push_back(std::move(waiting));
  if (waiting_.size() == 1) thread_.post([this] { answer(); });
}

void MetricsEndpoint::stop() {
  std::vector<Waiting> unanswered;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    unanswered.swap(waiting_);
  }
  thread_.stop();
}

void MetricsEndpoint::answer() {
  std::vector<Waiting> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(waiting_);
  }
  const MetricFamilies families = registry_.collect();
  std::map<MetricsFormat, std::shared_ptr<const std::string>> texts;  // shared by the answers
  for (const Waiting& one : all) {
    const MetricsFormat format = metrics_format(one.accept);
    auto& text = texts[format];
    if (!text) text = std::make_shared<const std::string>(metrics_text(families, format));
    one.responder->respond({.content_type = std::string(metrics_content_type(format)),
                            .headers = {{"Vary", "Accept"}, {"Cache-Control", "no-store"}},
                            .shared_body = text});
  }
}

}  // namespace muir::net
