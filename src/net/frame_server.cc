#include "net/frame_server.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "net/internal/idle_sweeper.h"
#include "net/internal/tls_stream.h"

namespace muir::net {
namespace {

constexpr size_t kLengthBytes = 4;
// Every connection has such a buffer.
constexpr size_t kReadBytes = 16 * 1024;
// A frame's announced length is believed only as its bytes arrive: memory grows in steps.
constexpr size_t kStepBytes = 256 * 1024;
constexpr int64_t kWarnEveryMs = 10'000;
// Room was made while it was asked for; a task brings it.
constexpr ByteBudget::Ticket kOnItsWay = UINT64_MAX;

// Cuts the stream into frames. Small frames come out of a read buffer, many per system call; the rest of a large one
// is read straight into the frame.
class Connection final : public FrameConnection,
                         public StreamEvents,
                         public Sweepable,
                         public std::enable_shared_from_this<Connection> {
 public:
  // `warned_ms`: when a warning of the kind that many connections may cause at once was given last.
  Connection(std::shared_ptr<TcpStream> stream, const FrameServerOptions& options,
             std::shared_ptr<std::atomic<int64_t>> warned_ms)
      : stream_(std::move(stream)),
        warned_ms_(std::move(warned_ms)),
        budget_(options.frame_budget),
        frame_bytes_max_(options.frame_bytes_max),
        idle_timeout_ms_(options.idle_timeout_ms),
        watch_(options.slow_sender_ms) {
    buffer_.resize(kReadBytes);
  }

  void open(const FrameServer::SessionFactory& factory) {
    session_ = factory(shared_from_this());
    if (!session_) return stream_->abort();
    stream_->read();
  }

  // ---- FrameConnection
  void send(Bytes payload) override {
    std::vector<Piece> pieces(2);
    pieces[0].owned = length_prefix(payload.size());
    pieces[1].owned = std::move(payload);
    stream_->write(std::move(pieces));
  }
  void send(std::vector<Bytes> payload) override {
    std::vector<Piece> pieces(payload.size());
    for (size_t i = 0; i < payload.size(); ++i) pieces[i].owned = std::move(payload[i]);
    send(std::move(pieces));
  }
  void send(std::vector<Piece> payload) override {
    size_t size = 0;
    for (const Piece& piece : payload) size += piece.size();
    std::vector<Piece> pieces(1);
    pieces[0].owned = length_prefix(size);
    std::move(payload.begin(), payload.end(), std::back_inserter(pieces));
    stream_->write(std::move(pieces));
  }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override {
    if (!paused_.exchange(false)) return;
    stream_->post([self = shared_from_this()] { self->pump(); });
  }
  [[nodiscard]] bool call_when_drained() override { return stream_->call_when_drained(); }
  [[nodiscard]] size_t send_queue_bytes() const override { return stream_->queued_bytes(); }
  void close() override { stream_->close_after_writes(); }
  [[nodiscard]] const std::string& peer() const override { return stream_->peer(); }

  // ---- Sweepable
  void check_idle() override {
    if (budget_ && budget_->waiting() > 0) stream_->post([self = shared_from_this()] { self->check_stalled(); });
    if (idle_timeout_ms_ <= 0) return;
    if (system_clock().steady_ms() - stream_->last_progress_ms() <= idle_timeout_ms_) return;
    log::debug("frame from {}: nothing has moved for {} ms; closing the connection", peer(), idle_timeout_ms_);
    if (stream_->queued_bytes() > 0) return stream_->abort();  // it does not read
    stream_->close_after_writes();
  }

  // ---- StreamEvents
  std::span<char> read_buffer() override {
    if (in_large_frame_) {
      if (large_filled_ == large_.size()) large_.resize(std::min(large_size_, large_.size() + kStepBytes));
      return {large_.data() + large_filled_, large_.size() - large_filled_};
    }
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return {buffer_.data() + end_, buffer_.size() - end_};
  }

  void on_read(size_t n) override {
    if (in_large_frame_) {
      large_filled_ += n;
    } else {
      end_ += n;
    }
    pump();
  }

  void on_drained() override {
    if (session_) session_->on_drained();
  }

  void on_closed() override {
    if (ticket_ != 0) budget_->cancel(std::exchange(ticket_, 0));
    in_large_frame_ = false;
    large_ = {};
    share_.reset();
    const auto session = std::move(session_);
    session_ = nullptr;
    if (session) session->on_closed();
  }

 private:
  static Bytes length_prefix(size_t size) {
    Bytes out;
    ByteWriter(out).i32(static_cast<int32_t>(size));
    return out;
  }

  // A TLS record of type 22, version 3.x, read as a length: about 369 million.
  static bool is_client_hello(size_t size) { return size >> 16 == 0x1603; }

  // Hands out every whole frame that has arrived, unless paused, and asks for more.
  void pump() {
    hand_out();
    // A paused connection without a backlog is read on, into the buffer, so that its end is noticed.
    if (session_ && paused_ && !in_large_frame_ && begin_ == end_) stream_->read();
  }

  void hand_out() {
    while (session_ && !paused_ && ticket_ == 0) {
      if (in_large_frame_) {
        if (large_filled_ < large_size_) return stream_->read();
        in_large_frame_ = false;
        const ByteBudget::Share held = std::move(share_);
        session_->on_frame(std::exchange(large_, {}));
        continue;
      }
      const size_t there = end_ - begin_;
      if (there < kLengthBytes) return stream_->read();
      const auto size = static_cast<size_t>(ByteReader(BytesView(buffer_.data() + begin_, kLengthBytes)).u32());
      if (size > frame_bytes_max_) {
        if (is_client_hello(size)) {
          log::warn("frame from {}: the client speaks TLS, and this port does not; closing the connection", peer());
          return stream_->abort();
        }
        log::warn("frame from {}: {} bytes announced, at most {} are allowed; closing the connection", peer(), size,
                  frame_bytes_max_);
        return stream_->abort();
      }
      if (there - kLengthBytes >= size) {
        Bytes frame(buffer_.data() + begin_ + kLengthBytes, size);
        begin_ += kLengthBytes + size;
        if (begin_ == end_) begin_ = end_ = 0;
        session_->on_frame(std::move(frame));
        continue;
      }
      if (size + kLengthBytes <= buffer_.size()) return stream_->read();
      if (!budget_ || share_) {
        begin_large_frame(size);
      } else {
        wait_for_room(size);
      }
    }
  }

  // Until there is room, the peer is not read from.
  void wait_for_room(size_t size) {
    if (auto now = budget_->try_take(size)) {
      share_ = *std::move(now);
      return;
    }
    ticket_ = budget_->take(size, [weak = weak_from_this()](ByteBudget::Share share) {
      const auto self = weak.lock();
      if (!self) return;
      // By a task, as this thread may be any. It is copyable, hence the sharing.
      self->stream_->post([self, share = std::make_shared<ByteBudget::Share>(std::move(share))] {
        if (!self->session_) return;
        self->ticket_ = 0;
        self->share_ = std::move(*share);
        self->pump();
      });
    });
    if (ticket_ == 0) ticket_ = kOnItsWay;
  }

  void begin_large_frame(size_t size) {
    in_large_frame_ = true;
    large_size_ = size;
    large_filled_ = end_ - begin_ - kLengthBytes;
    large_.reserve(size);  // no memory is in use before it is written to
    large_.assign(buffer_, begin_ + kLengthBytes, large_filled_);
    large_.resize(std::min(size, std::max(kStepBytes, large_filled_)));
    begin_ = end_ = 0;
    watch_.begin(system_clock().steady_ms());
  }

  // A frame that does not come any more must not keep others waiting.
  void check_stalled() {
    if (!session_ || !in_large_frame_ || large_filled_ == large_size_ || !share_.wanted_by_others()) return;
    const int64_t now = system_clock().steady_ms();
    if (!watch_.stalled(now, large_filled_)) return;
    if (now - warned_ms_->exchange(now) >= kWarnEveryMs) {
      log::warn(
          "frame from {}: {} of {} bytes have come, and too slowly while others wait for room; closing the "
          "connection, and others of this kind without a word",
          peer(), large_filled_, large_size_);
    }
    stream_->abort();
  }

  // Shared with whoever holds the connection to send.
  const std::shared_ptr<TcpStream> stream_;
  const std::shared_ptr<std::atomic<int64_t>> warned_ms_;
  const std::shared_ptr<ByteBudget> budget_;  // that of all connections; null: none
  const size_t frame_bytes_max_;
  const int64_t idle_timeout_ms_;
  std::unique_ptr<FrameSession> session_;
  std::atomic<bool> paused_{false};

  Bytes buffer_;
  size_t begin_ = 0;  // of the bytes in buffer_ that are in no frame yet
  size_t end_ = 0;
  bool in_large_frame_ = false;
  Bytes large_;
  size_t large_size_ = 0;
  size_t large_filled_ = 0;
  ByteBudget::Share share_;
  ByteBudget::Ticket ticket_ = 0;  // not 0: the next frame waits for room
  ArrivalWatch watch_;
};

class Server final : public FrameServer {
 public:
  // Connections are looked at while they may be idle for too long, or may keep others waiting.
  Server(EventLoop& loop, const FrameServerOptions& options)
      : swept_(options.idle_timeout_ms > 0 || options.frame_budget != nullptr),
        sweeper_(std::make_shared<IdleSweeper>(
            loop, options.idle_timeout_ms > 0 ? options.idle_timeout_ms : options.slow_sender_ms)) {}
  ~Server() override { stop(); }

  Status start(EventLoop& loop, const FrameServerOptions& options, SessionFactory factory) {
    TcpListenerOptions listen{.host = options.host,
                              .port = options.port,
                              .connections_max = options.connections_max,
                              .metrics = options.metrics,
                              .metrics_name = options.metrics_name};
    listener_ = MUIR_TRY(start_listener(
        loop, std::move(listen), options.tls,
        [sweeper = swept_ ? sweeper_ : nullptr, warned_ms = std::make_shared<std::atomic<int64_t>>(-kWarnEveryMs),
         factory = std::move(factory), options](const std::shared_ptr<TcpStream>& stream) {
          const auto connection = std::make_shared<Connection>(stream, options, warned_ms);
          stream->set_events(connection);
          if (sweeper) sweeper->add(connection);
          connection->open(factory);
        }));
    if (swept_) sweeper_->start();
    return {};
  }

  [[nodiscard]] uint16_t port() const override { return listener_->port(); }
  void stop() override {
    sweeper_->stop();
    if (listener_) listener_->stop();
  }

 private:
  const bool swept_;
  const std::shared_ptr<IdleSweeper> sweeper_;
  std::unique_ptr<TcpListener> listener_;
};

}  // namespace

Result<std::unique_ptr<FrameServer>> FrameServer::start(EventLoop& loop, const FrameServerOptions& options,
                                                        SessionFactory factory) {
  auto server = std::make_unique<Server>(loop, options);
  MUIR_RETURN_IF_ERROR(server->start(loop, options, std::move(factory)));
  return std::unique_ptr<FrameServer>(std::move(server));
}

}  // namespace muir::net
