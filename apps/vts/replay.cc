#include "apps/vts/replay.h"

#include <algorithm>
#include <optional>

#include "apps/vts/position_json.h"
#include "apps/vts/rules.h"
#include "base/log.h"
#include "net/http_client.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

constexpr int64_t kRetryMs = 500;
// Fixes that are due within this time travel together.
constexpr int64_t kGatherMs = 100;

uint64_t count_of(const schema::Json& json, std::string_view name) {
  const schema::Json* value = json.find(name);
  return value != nullptr ? static_cast<uint64_t>(value->as_int64().value_or(0)) : 0;
}

// Read once through: only a recording that is played faster than it was made needs its end.
Result<RecordedSpan> span_of(const std::string& path) {
  auto file = MUIR_TRY(PositionFile::open(path));
  std::optional<RecordedSpan> span;
  while (const auto fix = MUIR_TRY(file->next())) {
    if (!span) span = RecordedSpan{fix->timestamp, fix->timestamp};
    span->last_ms = std::max(span->last_ms, fix->timestamp);
  }
  return span.value_or(RecordedSpan{});
}

}  // namespace

int64_t replay_shift_ms(const RecordedSpan& span, const ReplayOptions& options, int64_t began_ms) {
  if (options.keep_times) return 0;
  const bool faster = options.speed == 0 || options.speed > 1;
  if (!faster) return began_ms - span.first_ms;
  const auto recorded_ms = static_cast<double>(span.last_ms - span.first_ms);
  const int64_t takes_ms = options.speed == 0 ? 0 : static_cast<int64_t>(recorded_ms / options.speed);
  return began_ms + takes_ms - span.last_ms;
}

// Collects positions and posts them.
class Replay::Sender {
 public:
  Sender(Replay& replay, std::unique_ptr<net::HttpClient> client) : replay_(replay), client_(std::move(client)) {}

  [[nodiscard]] size_t size() const { return count_; }

  void add(const RecordedFix& fix, int64_t timestamp) {
    body_ += count_ == 0 ? '[' : ',';
    body_ += to_json({.vehicle_id = fix.vehicle_id,
                      .lat = fix.lat,
                      .lon = fix.lon,
                      .speed = fix.speed,
                      .heading = fix.heading,
                      .timestamp = timestamp});
    ++count_;
  }

  // Until it is acknowledged, or stop().
  Status flush() {
    if (count_ == 0) return {};
    body_ += ']';
    const int64_t began_ms = replay_.clock_.steady_ms();
    for (bool warned = false;; warned = true) {
      const auto response =
          client_->request("POST", "/api/v1/positions", body_, {{"Content-Type", "application/json"}});
      answered_ |= response.ok();
      if (response.ok() && response->status < 500) {
        MUIR_RETURN_IF_ERROR(take_answer(*response));
        break;
      }
      if (!answered_ && replay_.clock_.steady_ms() - began_ms >= replay_.options_.first_answer_ms) {
        return response.status().annotate(
            fmt::format("replay: {} has not answered for {} ms; is a tracking system there?", replay_.options_.url,
                        replay_.options_.first_answer_ms));
      }
      if (!warned) {
        log::warn("replay: not acknowledged, trying again: {}",
                  response.ok() ? fmt::format("status {} {}", response->status, response->body)
                                : response.status().message());
      }
      if (!replay_.wait_until(replay_.clock_.now_ms() + kRetryMs)) break;
    }
    body_.clear();
    count_ = 0;
    return {};
  }

 private:
  Status take_answer(const net::HttpClientResponse& response) {
    const auto json = schema::Json::parse(response.body);
    if (!json.ok() || json->find("accepted") == nullptr) {
      return error(Code::failed_precondition, "replay: POST /api/v1/positions answered {}: {}", response.status,
                   response.body.substr(0, 300));
    }
    const std::lock_guard lock(replay_.mutex_);
    replay_.progress_.sent += count_of(*json, "accepted") + count_of(*json, "rejected");
    replay_.progress_.rejected += count_of(*json, "rejected");
    replay_.progress_.refused += count_of(*json, "refused");
    return {};
  }

  Replay& replay_;
  std::unique_ptr<net::HttpClient> client_;
  std::string body_;
  size_t count_ = 0;
  bool answered_ = false;  // once
};

Replay::Replay(std::string path, ReplayOptions options, Clock& clock)
    : path_(std::move(path)), options_(std::move(options)), clock_(clock) {}

void Replay::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stopped_.notify_all();
}

ReplayProgress Replay::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

bool Replay::wait_until(int64_t time_ms) {
  std::unique_lock lock(mutex_);
  const int64_t left = time_ms - clock_.now_ms();
  if (left > 0) stopped_.wait_for(lock, std::chrono::milliseconds(left), [this] { return stopping_; });
  return !stopping_;
}

bool Replay::at_seam(const RecordedFix& fix, int64_t timestamp) {
  if (!options_.loop) return false;
  const auto [it, first] = last_.try_emplace(fix.vehicle_id, SentFix{timestamp, fix.lat, fix.lon});
  if (first) return false;
  SentFix& last = it->second;
  if (seam_open_ && (timestamp <= last.timestamp || implied_speed_kmh(last.lat, last.lon, last.timestamp, fix.lat,
                                                                      fix.lon, timestamp) > options_.seam_speed_kmh)) {
    return true;
  }
  last = {timestamp, fix.lat, fix.lon};
  return false;
}

Status Replay::run_round(Sender& sender) {
  auto file = MUIR_TRY(PositionFile::open(path_));
  const bool faster = options_.speed == 0 || options_.speed > 1;
  RecordedSpan span;
  if (faster && !options_.keep_times) span = MUIR_TRY(span_of(path_));
  bool any = false;
  int64_t began_ms = 0;
  int64_t shift_ms = 0;
  int64_t batch_due_ms = 0;
  // A vehicle's seam is over long before this; later jumps are the recording's own.
  constexpr int64_t kSeamMs = 10 * 60 * 1000;
  for (;;) {
    auto next = MUIR_TRY(file->next());
    if (!next) return sender.flush();
    const RecordedFix& fix = *next;
    if (!any) {
      any = true;
      span.first_ms = fix.timestamp;
      began_ms = clock_.now_ms();
      shift_ms = replay_shift_ms(span, options_, began_ms);
    }
    const int64_t since_first = fix.timestamp - span.first_ms;
    const int64_t timestamp = fix.timestamp + shift_ms;
    if (options_.speed > 0) {
      const int64_t due_ms = began_ms + static_cast<int64_t>(static_cast<double>(since_first) / options_.speed);
      if (sender.size() > 0 && due_ms > batch_due_ms + kGatherMs) MUIR_RETURN_IF_ERROR(sender.flush());
      if (sender.size() == 0) {
        batch_due_ms = due_ms;
        if (!wait_until(due_ms)) return {};
      }
    }
    seam_open_ = seam_open_ && since_first < kSeamMs;
    const bool leave_out = at_seam(fix, timestamp);
    if (!leave_out) sender.add(fix, timestamp);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return {};
      progress_.recorded_ms = fix.timestamp;
      if (leave_out) ++progress_.left_out;
    }
    if (sender.size() >= options_.batch) MUIR_RETURN_IF_ERROR(sender.flush());
  }
}

Status Replay::run() {
  Sender sender(*this, MUIR_TRY(net::HttpClient::create(options_.url, {.tls = options_.tls})));
  seam_open_ = !last_.empty();
  for (;;) {
    MUIR_RETURN_IF_ERROR(run_round(sender));
    const std::lock_guard lock(mutex_);
    if (stopping_) return {};
    ++progress_.rounds;
    seam_open_ = true;
    if (!options_.loop) return {};
  }
}

}  // namespace muir::vts
