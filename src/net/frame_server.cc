#include "net/frame_server.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "net/internal/idle_sweeper.h"
#include "net/internal/read_space.h"
#include "net/internal/tls_stream.h"

namespace muir::net {
namespace {

constexpr size_t kLengthBytes = 4;
// What is read at once. Frames that are larger draw on the budget.
constexpr size_t kReadBytes = 16 * 1024;
// A frame's announced length is believed only as its bytes arrive: memory grows in steps.
constexpr size_t kStepBytes = 256 * 1024;
constexpr int64_t kWarnEveryMs = 10'000;
// Room was made while it was asked for; a task brings it.
constexpr ByteBudget::Ticket kOnItsWay = UINT64_MAX;

// Cuts the stream into frames. Small frames come out of the thread's read space, many per system call, and what is left
// of them there is kept, and counted; the rest of a large one is read straight into the frame.
class Connection final : public FrameConnection,
                         public StreamEvents,
                         public Sweepable,
                         public ConnectionMemory::Holder,
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
        slow_sender_ms_(options.slow_sender_ms) {
    if (options.send_memory) account_.emplace(options.send_memory, *this);
  }

  void open(const FrameServer::SessionFactory& factory) {
    session_ = factory(shared_from_this());
    if (!session_) return stream_->abort();
    read_on();
  }

  // ---- FrameConnection
  ByteBudget::Share take_share() override { return std::move(handed_out_); }
  void send(Bytes payload) override {
    std::vector<Piece> pieces(1);
    pieces[0].owned = std::move(payload);
    send(std::move(pieces));
  }
  void send(std::vector<Bytes> payload) override {
    std::vector<Piece> pieces(payload.size());
    for (size_t i = 0; i < payload.size(); ++i) pieces[i].owned = std::move(payload[i]);
    send(std::move(pieces));
  }
  void send(std::vector<Piece> payload) override {
    size_t size = 0;
    size_t in_memory = 0;
    for (const Piece& piece : payload) {
      size += piece.size();
      if (!piece.source) in_memory += piece.size();
    }
    std::vector<Piece> pieces(1);
    pieces[0].owned = length_prefix(size);
    std::move(payload.begin(), payload.end(), std::back_inserter(pieces));
    stream_->write(std::move(pieces));
    if (account_ && stream_->queued_bytes() > 0) count_unread(in_memory);
  }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override {
    if (paused_.exchange(false)) post_pump();
  }
  [[nodiscard]] bool call_when_drained() override {
    tell_session_ = true;
    const bool queued = stream_->call_when_drained();
    if (!queued) tell_session_ = false;
    return queued;
  }
  [[nodiscard]] size_t send_queue_bytes() const override { return stream_->queued_bytes(); }
  void close() override { stream_->close_after_writes(); }
  [[nodiscard]] const std::string& peer() const override { return stream_->peer(); }

  // ---- Sweepable
  void check_idle() override {
    if (in_large_frame_ && budget_ && budget_->waiting() > 0)
      stream_->post([self = shared_from_this()] { self->check_stalled(); });
    if (idle_timeout_ms_ <= 0) return;
    // Who has answers to read is awake when it reads them, whatever it sends.
    const bool unread = stream_->queued_bytes() > 0;
    const int64_t since_ms = unread ? stream_->last_written_ms() : stream_->last_progress_ms();
    if (system_clock().steady_ms() - since_ms <= idle_timeout_ms_) return;
    log::debug("frame from {}: nothing has moved for {} ms; closing the connection", peer(), idle_timeout_ms_);
    if (unread) return stream_->abort();
    stream_->close_after_writes();
  }

  // ---- StreamEvents
  std::span<char> read_buffer() override {
    if (in_large_frame_) {
      if (large_filled_ == large_.size()) large_.resize(std::min(large_size_, large_.size() + kStepBytes));
      return {large_.data() + large_filled_, large_.size() - large_filled_};
    }
    const std::span<char> space = read_space().first(kReadBytes);
    return space.subspan(in_.copy(space.data(), in_.size()));
  }

  void on_read(size_t n) override {
    if (in_large_frame_) {
      large_filled_ += n;
    } else {
      in_ = {read_space().data(), in_.size() + n};  // read_buffer() has put there what there was
      rest_ = {};
    }
    pump();
  }

  void on_drained() override {
    if (account_) {
      const std::lock_guard lock(unread_mutex_);
      if (stream_->call_when_drained()) return;  // more was sent in the meantime
      account_->read_all();
    }
    if (tell_session_.exchange(false) && session_) session_->on_drained();
  }

  // Gives the frame that has arrived to the session.
  void on_turn() override {
    turn_asked_ = false;
    if (session_ && !paused_) hand_out_one();
    if (!pumping_) pump();
  }

  // ---- ConnectionMemory::Holder
  [[nodiscard]] int64_t last_read_ms() const override { return stream_->last_written_ms(); }
  [[nodiscard]] int64_t last_sent_ms() const override { return stream_->last_progress_ms(); }
  void shed() override {
    if (const auto self = weak_from_this().lock()) stream_->post([self] { self->end_for_memory(); });
  }

  void on_closed() override {
    if (account_) account_->close();
    if (ticket_ != 0) budget_->cancel(std::exchange(ticket_, 0));
    in_large_frame_ = false;
    large_ = {};
    in_ = {};
    rest_ = {};
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

  void count_unread(size_t bytes) {
    const std::lock_guard lock(unread_mutex_);
    if (stream_->call_when_drained()) account_->add_unread(bytes);
  }

  void read_on() {
    if (in_large_frame_) return stream_->read();
    stream_->wait_and_read();
  }

  // Half a frame has come: it is the peer's turn, or, of a large one, that of others that keep the room for it.
  [[nodiscard]] bool has_half_a_frame() const {
    if (in_.empty() || paused_ || turn_asked_ || in_large_frame_) return false;
    return in_.size() < kLengthBytes || in_.size() - kLengthBytes < next_size();
  }

  // What has come and is in no frame yet goes out of the thread's read space, and is counted.
  void keep_rest() {
    if (!session_) in_ = {};
    if (in_.empty()) {
      rest_ = {};
    } else if (in_.data() < rest_.data() || in_.data() >= rest_.data() + rest_.size()) {
      rest_ = Bytes(in_);
      in_ = rest_;
    }
    if (!account_) return;
    const bool for_sender = has_half_a_frame();
    const size_t held = (in_.empty() ? 0 : rest_.capacity()) + stream_->buffer_bytes();
    if (!account_->hold(held, for_sender) && for_sender) end_half_a_frame();
  }

  // Others need the memory of what this peer has not read, or of which it does not send the rest.
  void end_for_memory() {
    if (!session_) return;
    if (stream_->queued_bytes() > 0) return end_unread();
    if (has_half_a_frame()) return end_half_a_frame();
    account_->keep();  // it has in the meantime
    keep_rest();
  }

  // Whether it is time for another warning of its kind.
  [[nodiscard]] bool may_warn() {
    const int64_t now = system_clock().steady_ms();
    return now - warned_ms_->exchange(now) >= kWarnEveryMs;
  }

  void end_unread() {
    if (may_warn()) {
      log::warn(
          "answers to {}: {} bytes are not read, for {} ms, and the answers of all connections take too much memory; "
          "closing the connection, and others of this kind without a word",
          peer(), stream_->queued_bytes(), system_clock().steady_ms() - stream_->last_written_ms());
    }
    stream_->abort();
  }

  void end_half_a_frame() {
    if (may_warn()) {
      log::warn(
          "frame from {}: {} bytes have come and not the rest, for {} ms, and all connections take too much memory; "
          "closing the connection, and others of this kind without a word",
          peer(), in_.size(), system_clock().steady_ms() - stream_->last_progress_ms());
    }
    stream_->abort();
  }

  // The beginning of a request line, or of HTTP/2's preface.
  static bool is_http(BytesView start) {
    for (const std::string_view method :
         {"GET ", "POST", "PUT ", "HEAD", "OPTI", "DELE", "PATC", "CONN", "TRAC", "PRI "}) {
      if (start == method) return true;
    }
    return false;
  }

  // Hands out every whole frame that has arrived, unless paused, as its turn comes, and asks for more.
  void pump() {
    pumping_ = true;
    hand_out();
    pumping_ = false;
    // A paused connection without a backlog is read on, into the buffer, so that its end is noticed.
    if (session_ && paused_ && !in_large_frame_ && in_.empty()) read_on();
    keep_rest();
  }

  void hand_out() {
    bool handed_out = false;  // one; the other connections come before the next
    while (session_ && !paused_ && ticket_ == 0 && !turn_asked_) {
      if (in_large_frame_) {
        if (large_filled_ < large_size_) return read_on();
        if (std::exchange(handed_out, true)) return post_pump();
        ask_for_turn();
        continue;
      }
      const size_t there = in_.size();
      if (there < kLengthBytes) return read_on();
      const size_t size = next_size();
      if (size > frame_bytes_max_) return refuse(size);
      if (there - kLengthBytes >= size) {
        if (std::exchange(handed_out, true)) return post_pump();
        ask_for_turn();
      } else if (size + kLengthBytes <= kReadBytes) {
        return read_on();
      } else if (!budget_ || share_) {
        begin_large_frame(size);
      } else {
        wait_for_room(size);
      }
    }
  }

  void post_pump() {
    stream_->post([self = shared_from_this()] { self->pump(); });
  }

  [[nodiscard]] size_t next_size() const { return ByteReader(in_.substr(0, kLengthBytes)).u32(); }

  void refuse(size_t size) {
    if (is_client_hello(size)) {
      log::warn("frame from {}: the client speaks TLS, and this port does not; closing the connection", peer());
    } else if (is_http(in_.substr(0, kLengthBytes))) {
      log::warn("frame from {}: the client speaks HTTP, and this port does not; closing the connection", peer());
    } else {
      log::warn("frame from {}: {} bytes announced, at most {} are allowed; closing the connection", peer(), size,
                frame_bytes_max_);
    }
    stream_->abort();
  }

  void ask_for_turn() {
    turn_asked_ = true;
    stream_->take_turn();
  }

  void hand_out_one() {
    if (in_large_frame_) {
      in_large_frame_ = false;
      handed_out_ = std::move(share_);
      handed_out_.delivered();
      peer_is_ = ByteBudget::Peer::delivered_much;
      session_->on_frame(std::exchange(large_, {}));
      handed_out_.reset();
      return;
    }
    const size_t size = next_size();
    Bytes frame(in_.substr(kLengthBytes, size));
    in_.remove_prefix(kLengthBytes + size);
    peer_is_ = std::min(peer_is_, ByteBudget::Peer::delivered);
    session_->on_frame(std::move(frame));
  }

  // Until there is room, the peer is not read from.
  void wait_for_room(size_t size) {
    if (auto now = budget_->try_take(size)) {
      share_ = *std::move(now);
      return;
    }
    ticket_ = budget_->take(size, peer_is_, [weak = weak_from_this()](ByteBudget::Share share) {
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
    large_filled_ = in_.size() - kLengthBytes;
    large_.reserve(size);  // no memory is in use before it is written to
    large_.assign(in_.substr(kLengthBytes));
    large_.resize(std::min(size, std::max(kStepBytes, large_filled_)));
    in_ = {};
    watch_.begin(system_clock().steady_ms());
  }

  // A frame that does not come any more must not keep others waiting.
  void check_stalled() {
    if (!session_ || !in_large_frame_ || large_filled_ == large_size_) return;
    const auto patience_ms = share_.patience_ms(slow_sender_ms_);
    if (!patience_ms) return;
    if (!watch_.stalled(system_clock().steady_ms(), *patience_ms, large_filled_, stream_->last_progress_ms())) return;
    if (stream_->has_input()) return;
    if (may_warn()) {
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
  const int64_t slow_sender_ms_;
  std::unique_ptr<FrameSession> session_;
  std::atomic<bool> paused_{false};
  std::atomic<bool> tell_session_{false};  // when everything has been written
  bool pumping_ = false;
  bool turn_asked_ = false;  // for a frame that is whole

  BytesView in_;  // what has come and is in no frame yet: in the thread's read space while that is worked on, or rest_
  Bytes rest_;
  std::atomic<bool> in_large_frame_{false};  // read by any thread
  Bytes large_;
  size_t large_size_ = 0;
  size_t large_filled_ = 0;
  ByteBudget::Share share_;
  ByteBudget::Share handed_out_;  // of the frame that on_frame() has now
  ByteBudget::Peer peer_is_ = ByteBudget::Peer::unknown;
  ByteBudget::Ticket ticket_ = 0;  // not 0: the next frame waits for room
  ArrivalWatch watch_;

  std::mutex unread_mutex_;                             // orders what is counted and what has been read
  std::optional<ConnectionMemory::Account> account_{};  // last: no call to shed() after it
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
        loop, std::move(listen), options.tls, options.send_memory,
        [sweeper = swept_ ? sweeper_ : nullptr, warned_ms = std::make_shared<std::atomic<int64_t>>(-kWarnEveryMs),
         factory = std::move(factory), options](const std::shared_ptr<TcpStream>& stream) {
          const auto connection = std::make_shared<Connection>(stream, options, warned_ms);
          stream->set_events(connection);
          if (sweeper) sweeper->add(connection);
          connection->open(factory);
        }));
    if (swept_) sweeper_->start();
    if (!options.frame_budget) return {};
    const int64_t every_ms = std::max<int64_t>(std::min(ArrivalWatch::kWindowMinMs, options.slow_sender_ms) / 4, 1);
    waited_for_ = options.frame_budget->when_waited_for(
        [sweeper = sweeper_, every_ms, weak = std::weak_ptr(options.frame_budget)] {
          sweeper->hurry(every_ms, [weak] {
            const auto budget = weak.lock();
            return budget && budget->waiting() > 0;
          });
        });
    return {};
  }

  [[nodiscard]] uint16_t port() const override { return listener_->port(); }
  void stop() override {
    waited_for_.reset();
    sweeper_->stop();
    if (listener_) listener_->stop();
  }

 private:
  ByteBudget::Listening waited_for_;
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
