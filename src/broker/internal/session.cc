#include "broker/internal/session.h"

#include <utility>

#include "broker/api/api_table.h"
#include "broker/internal/broker_metrics.h"

namespace muir::broker {
namespace {

// Of answers that are ready before those of earlier requests are (of Produce, which wait for the disk).
constexpr size_t kReadyBytesMax = 64 * 1024;

class QueueSlot final : public ReplySlot {
 public:
  // `api` is null for a request that is not served.
  QueueSlot(BrokerContext& context, BrokerMetrics::Api* api, std::shared_ptr<ReplyQueue> queue,
            ReplyQueue::Number number)
      : context_(context), api_(api), began_us_(context.clock->steady_us()), queue_(std::move(queue)), number_(number) {
    if (api_ != nullptr) api_->received();
  }
  void send(std::vector<net::Piece> frame) override {
    answered();
    uint64_t bytes = 0;
    for (const net::Piece& piece : frame) bytes += piece.size();
    context_.metrics->sent(bytes);
    queue_->fill(number_, std::move(frame));
  }
  void send_nothing() override {
    answered();
    queue_->fill(number_, std::nullopt);
  }
  void close_connection() override {
    let_go();
    queue_->close_connection();
  }
  void failed(wire::ErrorCode code) override {
    if (api_ != nullptr) api_->failed(code);
  }
  net::ByteBudget::Share hold_up() override {
    return std::exchange(held_up_, true) ? net::ByteBudget::Share() : queue_->hold_up(number_);
  }
  void keep_until_answered(std::shared_ptr<void> what) override {
    {
      const std::lock_guard guard(mutex_);
      if (!answered_) kept_.swap(what);
    }
  }
  [[nodiscard]] bool abandoned() const override { return queue_->disconnected(); }

 private:
  void answered() {
    let_go();
    if (api_ != nullptr) api_->answered(context_.clock->steady_us() - began_us_);
  }

  void let_go() {
    std::shared_ptr<void> kept;
    const std::lock_guard guard(mutex_);
    answered_ = true;
    kept.swap(kept_);
  }

  BrokerContext& context_;
  BrokerMetrics::Api* const api_;
  const int64_t began_us_;
  std::shared_ptr<ReplyQueue> queue_;
  ReplyQueue::Number number_;
  bool held_up_ = false;  // the request is with one thread at a time until it has been

  std::mutex mutex_;
  bool answered_ = false;
  std::shared_ptr<void> kept_;
};

class Session final : public net::FrameSession {
 public:
  Session(BrokerContext& context, const Listener& listener, std::shared_ptr<net::FrameConnection> connection)
      : context_(context),
        listener_(listener),
        peer_(connection->peer()),
        connection_(connection),
        queue_(std::make_shared<ReplyQueue>(connection, static_cast<size_t>(context.settings.queued_requests_max))) {}

  void on_frame(Bytes frame) override {
    BrokerMetrics& metrics = *context_.metrics;
    metrics.received(frame.size());
    auto slot =
        std::make_shared<QueueSlot>(context_, metrics.api(api_key(frame)), queue_, queue_->reserve(!is_produce(frame)));
    const Status status = dispatch(context_, listener_, peer_, std::move(frame), std::move(slot));
    if (status.ok()) return queue_->given();
    refused(context_, peer_, status);
    connection_->close();
  }

  void on_drained() override { queue_->drained(); }
  void on_closed() override { queue_->disconnect(); }

 private:
  // -1 when the frame is too short to have one.
  static int16_t api_key(BytesView frame) {
    return frame.size() < 2 ? static_cast<int16_t>(-1) : ByteReader(frame).i16();
  }
  static bool is_produce(BytesView frame) { return api_key(frame) == static_cast<int16_t>(wire::ApiKey::produce); }

  BrokerContext& context_;
  const Listener& listener_;
  const std::string peer_;
  // Shared with the loop that reads from it and the replies that are on their way.
  std::shared_ptr<net::FrameConnection> connection_;
  std::shared_ptr<ReplyQueue> queue_;
};

}  // namespace

ReplyQueue::Number ReplyQueue::reserve(bool holds_up) {
  const std::lock_guard guard(mutex_);
  places_.push_back({.holds_up = holds_up});
  if (holds_up) ++holding_up_;
  return first_ + places_.size() - 1;
}

bool ReplyQueue::must_wait(size_t waiting_max) {
  if (holding_up_ > 0 || places_.size() > waiting_max || ready_bytes_ > kReadyBytesMax) return true;
  // Until the socket has taken every answer, as in Kafka: who does not read makes no work and takes no memory.
  return connection_->send_queue_bytes() > 0 && connection_->call_when_drained();
}

void ReplyQueue::given() {
  const std::lock_guard guard(mutex_);
  if (paused_ || connection_ == nullptr || !must_wait(waiting_max_)) return;
  paused_ = true;
  connection_->pause_reading();
}

void ReplyQueue::fill(Number number, std::optional<std::vector<net::Piece>> frame) {
  const std::lock_guard guard(mutex_);
  if (number < first_ || number >= first_ + places_.size()) return;
  Place& place = places_[number - first_];
  if (std::exchange(place.holds_up, false)) --holding_up_;
  place.ready = true;
  place.frame = std::move(frame);
  ready_bytes_ += place.bytes();
  while (!places_.empty() && places_.front().ready) {
    ready_bytes_ -= places_.front().bytes();
    if (places_.front().frame && connection_ != nullptr) connection_->send(*std::move(places_.front().frame));
    places_.pop_front();
    ++first_;
  }
  if (!paused_ || connection_ == nullptr || must_wait(waiting_max_ / 2)) return;
  paused_ = false;
  connection_->resume_reading();
}

void ReplyQueue::drained() {
  const std::lock_guard guard(mutex_);
  if (!paused_ || connection_ == nullptr || must_wait(waiting_max_ / 2)) return;
  paused_ = false;
  connection_->resume_reading();
}

void ReplyQueue::close_connection() {
  const std::lock_guard guard(mutex_);
  if (connection_ != nullptr) connection_->close();
}

net::ByteBudget::Share ReplyQueue::hold_up(Number number) {
  const std::lock_guard guard(mutex_);
  if (connection_ == nullptr || number < first_ || number >= first_ + places_.size()) return {};
  if (!std::exchange(places_[number - first_].holds_up, true)) ++holding_up_;
  return connection_->take_share();
}

bool ReplyQueue::disconnected() {
  const std::lock_guard guard(mutex_);
  return connection_ == nullptr;
}

void ReplyQueue::disconnect() {
  const std::lock_guard guard(mutex_);
  connection_ = nullptr;
  places_.clear();
  first_ = UINT64_MAX;
}

std::unique_ptr<net::FrameSession> make_session(BrokerContext& context, const Listener& listener,
                                                std::shared_ptr<net::FrameConnection> connection) {
  return std::make_unique<Session>(context, listener, std::move(connection));
}

}  // namespace muir::broker
