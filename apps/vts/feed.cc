#include "apps/vts/feed.h"

#include "apps/vts/view_json.h"
#include "base/clock.h"
#include "schema/json.h"

namespace muir::vts {

Feed::Feed(net::EventLoop& loop, View& view, StatsBoard& board, FeedOptions options)
    : loop_(loop), view_(view), board_(board), options_(options) {}

Feed::~Feed() { stop(); }

net::WebSocketHandler Feed::handler() {
  return {.on_open = [this](const std::shared_ptr<net::WebSocket>& socket, const net::HttpRequest&) { open(socket); },
          .on_text = [this](const std::shared_ptr<net::WebSocket>&, std::string_view text) { hear(text); },
          .on_close =
              [this](const std::shared_ptr<net::WebSocket>& socket) {
                const std::lock_guard lock(mutex_);
                clients_.erase(socket);
              }};
}

void Feed::start() { schedule(timer_); }

void Feed::stop() {
  const std::lock_guard lock(timer_->mutex);
  timer_->stopped = true;
  loop_.cancel(timer_->id);
}

size_t Feed::sockets() const {
  const std::lock_guard lock(mutex_);
  return clients_.size();
}

void Feed::schedule(const std::shared_ptr<Timer>& timer) {
  timer->id = loop_.schedule(options_.tick_ms, [this, timer] {
    const std::lock_guard lock(timer->mutex);
    if (timer->stopped) return;
    tick();
    schedule(timer);
  });
}

std::shared_ptr<const std::string> Feed::snapshot() {
  auto text = std::make_shared<std::string>("{\"type\":\"snapshot\",\"vehicles\":");
  append_json(*text, view_.vehicles());
  *text += ",\"zones\":";
  append_json(*text, view_.occupancies());
  *text += ",\"alerts\":";
  append_json(*text, view_.alerts(options_.snapshot_alerts));
  *text += ",\"stats\":";
  append_json(*text, board_.stats(view_.totals()));
  *text += '}';
  return text;
}

void Feed::open(const std::shared_ptr<net::WebSocket>& socket) {
  // Under the lock, so that no update overtakes the snapshot; an update may repeat what it holds already.
  const std::lock_guard lock(mutex_);
  socket->send_text(snapshot());
  clients_.try_emplace(socket);
}

// {"type":"latency","p50":..,"p99":..,"n":..}: what a page measured up to its screen.
void Feed::hear(std::string_view text) {
  const auto message = schema::Json::parse(text, 8);
  if (!message.ok()) return;
  const schema::Json* type = message->find("type");
  if (type == nullptr || type->as_string() == nullptr || *type->as_string() != "latency") return;
  const schema::Json* p50 = message->find("p50");
  const schema::Json* p99 = message->find("p99");
  if (p50 == nullptr || p99 == nullptr || !p50->as_double() || !p99->as_double()) return;
  board_.record_screen_latency({.p50 = *p50->as_double(), .p99 = *p99->as_double()});
}

void Feed::tick() {
  const ViewChanges changes = view_.take_changes();
  const int64_t now = system_clock().steady_ms();
  const bool stats_due = now >= next_stats_ms_;
  for (const VehicleState& state : changes.vehicles) board_.record_latency(state.received_at);
  if (stats_due) next_stats_ms_ = now + options_.stats_ms;

  const std::lock_guard lock(mutex_);
  // Stats are asked for even when nobody listens: the rate is sampled then.
  const std::optional<Stats> stats = stats_due ? std::optional(board_.stats(view_.totals())) : std::nullopt;
  if (clients_.empty() || (changes.empty() && !stats)) return;
  auto update = std::make_shared<std::string>("{\"type\":\"update\",\"vehicles\":");
  append_json(*update, changes.vehicles);
  *update += ",\"zones\":";
  append_json(*update, changes.zones);
  *update += ",\"alerts\":";
  append_json(*update, changes.alerts);
  if (stats) {
    *update += ",\"stats\":";
    append_json(*update, *stats);
  }
  *update += '}';
  std::shared_ptr<const std::string> fresh;
  for (auto& [socket, client] : clients_) {
    const size_t queued = socket->send_queue_bytes();
    if (client.waits_for_snapshot && queued == 0) {
      if (!fresh) fresh = snapshot();
      socket->send_text(fresh);
      client.waits_for_snapshot = false;
    } else if (client.waits_for_snapshot || queued > options_.queue_bytes_max) {
      client.waits_for_snapshot = true;
    } else {
      socket->send_text(update);
    }
  }
}

}  // namespace muir::vts
