#include "apps/vts/feed.h"

#include "apps/vts/view_json.h"
#include "base/clock.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

template <class T>
void append_member(std::string& out, std::string_view name, const T& value) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json(out, value);
}

}  // namespace

Feed::Feed(View& view, StatsBoard& board, FeedOptions options) : view_(view), board_(board), options_(options) {}

Feed::~Feed() { stop(); }

net::WebSocketHandler Feed::handler() {
  // The next tick sends the snapshot: a crowd that comes at once is served with one.
  return {.on_open =
              [this](const std::shared_ptr<net::WebSocket>& socket, const net::HttpRequest&) {
                const std::lock_guard lock(mutex_);
                came_.push_back(socket);
                ++sockets_;
              },
          .on_text = [this](const std::shared_ptr<net::WebSocket>&, std::string_view text) { hear(text); },
          .on_close =
              [this](const std::shared_ptr<net::WebSocket>& socket) {
                const std::lock_guard lock(mutex_);
                gone_.push_back(socket);
                --sockets_;
              }};
}

void Feed::start() {
  thread_ = std::thread([this] { run(); });
}

void Feed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Feed::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::milliseconds(options_.tick_ms), [this] { return stopping_; })) {
    lock.unlock();
    tick(system_clock().steady_ms());
    lock.lock();
  }
}

void Feed::take_sockets() {
  const std::lock_guard lock(mutex_);
  for (auto& socket : came_) clients_.try_emplace(std::move(socket));
  for (const auto& socket : gone_) clients_.erase(socket);
  came_.clear();
  gone_.clear();
}

void Feed::tick(int64_t now) {
  take_sockets();
  view_.expire_waits(now);
  const ViewChanges changes = view_.take_changes();
  for (const ShownVehiclePtr& vehicle : changes.vehicles) board_.record_latency(vehicle->state.received_at);
  const bool stats_due = now >= next_stats_ms_;
  if (stats_due) next_stats_ms_ = now + options_.stats_ms;
  // Stats are asked for even when nobody listens: the rate is sampled then.
  const std::optional<Stats> stats = stats_due ? std::optional(board_.stats(view_.totals())) : std::nullopt;
  if (clients_.empty()) {
    // Whoever comes next gets a snapshot that has all of this.
    first_kept_ = end();
    kept_.clear();
    kept_bytes_ = 0;
    newest_.reset();
    return;
  }
  if (!changes.empty() || stats) {
    auto update = std::make_shared<std::string>("{\"type\":\"update\"");
    if (!changes.removed_vehicles.empty()) append_member(*update, "removedVehicles", changes.removed_vehicles);
    if (changes.zones_changed) *update += ",\"zonesChanged\":true";
    append_member(*update, "vehicles", changes.vehicles);
    append_member(*update, "zones", changes.zones);
    append_member(*update, "alerts", changes.alerts);
    if (stats) append_member(*update, "stats", *stats);
    *update += '}';
    keep(std::move(update));
  }
  for (auto& [socket, client] : clients_) pump(*socket, client, now);
}

void Feed::keep(Text update) {
  kept_bytes_ += update->size();
  kept_.push_back(std::move(update));
  while (kept_.size() > 1 && kept_bytes_ > options_.kept_bytes_max) {
    kept_bytes_ -= kept_.front()->size();
    kept_.pop_front();
    ++first_kept_;
  }
}

void Feed::pump(net::WebSocket& socket, Client& client, int64_t now) {
  const size_t unread = socket.send_queue_bytes();
  if (client.snapshot_until_ms != 0) {
    if (unread <= options_.queue_bytes_max) {
      client.snapshot_until_ms = 0;
    } else if (now > client.snapshot_until_ms) {
      return socket.abort();
    }
  }
  if (!client.needs_snapshot && client.next < first_kept_) client.needs_snapshot = true;
  if (client.needs_snapshot) {
    if (unread > 0) return;
    const Text text = snapshot(now, client.next);
    if (!text) return;
    client.needs_snapshot = false;
    client.snapshot_until_ms = now + options_.snapshot_timeout_ms;
    socket.send_text(text);
  }
  while (client.next < end() && socket.send_queue_bytes() <= options_.queue_bytes_max)
    socket.send_text(kept_[client.next++ - first_kept_]);
}

Feed::Text Feed::snapshot(int64_t now, uint64_t& next) {
  std::erase_if(being_read_, [](const auto& one) { return one.expired(); });
  const uint64_t version = view_.version();
  if (Text newest = newest_.lock()) {
    const bool current = version == newest_version_ && now - newest_made_ms_ < options_.stats_ms;
    const bool crowded = being_read_.size() >= options_.snapshots_shared_from && newest_next_ >= first_kept_;
    if (current || crowded) {
      next = newest_next_;
      return newest;
    }
  }
  if (being_read_.size() >= options_.snapshots_max) return nullptr;
  auto text = std::make_shared<std::string>("{\"type\":\"snapshot\"");
  append_member(*text, "vehicles", view_.vehicles());
  append_member(*text, "zones", view_.occupancies());
  append_member(*text, "alerts", view_.alerts(options_.snapshot_alerts));
  append_member(*text, "stats", board_.stats(view_.totals()));
  *text += '}';
  // Changes that the snapshot has and no update yet will come again in the next one: that does no harm.
  newest_version_ = version;
  next = newest_next_ = end();
  newest_made_ms_ = now;
  newest_ = text;
  being_read_.push_back(newest_);
  ++made_;
  return text;
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

}  // namespace muir::vts
