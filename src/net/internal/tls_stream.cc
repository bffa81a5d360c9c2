#include "net/internal/tls_stream.h"

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "net/internal/piece_queue.h"
#include "net/internal/read_space.h"
#include "net/internal/tls_session.h"

namespace muir::net {
namespace {

// A record and a little, so that not much waits in the session for its user.
constexpr size_t kReadBytes = 17 * 1024;
// Plaintext is encrypted as the peer reads, not before: a message that many peers get is held once, not once for each.
constexpr size_t kSliceBytes = 64 * 1024;
constexpr size_t kSliceParts = 64;
constexpr size_t kCiphertextBytesMax = 64 * 1024;
// One turn of encrypting, then the other connections of the thread have theirs.
constexpr size_t kTurnBytesMax = 512 * 1024;

// What OpenSSL and we take for a session, and while its handshake is under way: buffers for a record each way and a
// message.
constexpr size_t kSessionBytes = 16 * 1024;
constexpr size_t kHandshakeBytes = 48 * 1024;
constexpr int64_t kWarnEveryMs = 10'000;
constexpr int64_t kRoomRetryMs = 50;

// A TcpStream over another. Plaintext is encrypted by the thread that writes it, under a lock that also keeps the
// records in order; decryption happens on the loop thread.
class TlsStream final : public TcpStream,
                        public StreamEvents,
                        public ConnectionMemory::Holder,
                        public std::enable_shared_from_this<TlsStream> {
 public:
  TlsStream(std::shared_ptr<TcpStream> inner, EventLoop& loop, std::shared_ptr<const TlsContext> context,
            const std::shared_ptr<ConnectionMemory>& memory, std::function<bool()> make_room,
            std::shared_ptr<std::atomic<int64_t>> warned_ms, TcpListener::Accept accept)
      : inner_(std::move(inner)),
        loop_(loop),
        accept_(std::move(accept)),
        make_room_(std::move(make_room)),
        warned_ms_(std::move(warned_ms)),
        session_(std::move(context), "") {
    if (memory) account_.emplace(memory, *this);
  }

  void start() {
    inner_->set_events(shared_from_this());
    timer_ = loop_.schedule(session_.handshake_timeout_ms(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->inner_->post([self] { self->end_slow_handshake(); });
    });
    with_room(kSessionBytes, [](TlsStream& self) { self.inner_->wait_and_read(); });
  }

  // ---- ConnectionMemory::Holder
  [[nodiscard]] int64_t last_read_ms() const override { return inner_->last_written_ms(); }
  [[nodiscard]] int64_t last_sent_ms() const override { return inner_->last_progress_ms(); }
  void shed() override {
    if (const auto self = weak_from_this().lock()) inner_->post([self] { self->end_for_memory(); });
  }

  // ---- TcpStream
  void set_events(std::shared_ptr<StreamEvents> events) override { events_ = std::move(events); }

  void read() override {
    wanted_ = true;
    if (pumping_ || gone_) return;
    if (drained_) return inner_->wait_and_read();
    inner_->post([self = shared_from_this()] { self->pump(); });  // never from within the caller
  }
  void wait_and_read() override { read(); }

  void take_turn() override { inner_->take_turn(); }
  [[nodiscard]] bool has_input() const override { return inner_->has_input(); }
  [[nodiscard]] size_t buffer_bytes() const override { return held_; }
  void post(std::function<void()> task) override { inner_->post(std::move(task)); }

  void write(std::vector<Piece> pieces) override {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    for (Piece& piece : pieces) plain_.push(std::move(piece));
    encrypt();
  }

  void close_after_writes() override {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    closing_ = true;
    if (plain_.empty()) end_output();
  }

  void abort() override { inner_->abort(); }
  [[nodiscard]] bool call_when_drained() override {
    const std::lock_guard lock(mutex_);
    if (plain_.empty() && !inner_->call_when_drained()) return false;
    tell_drained_ = true;
    return true;
  }
  [[nodiscard]] size_t queued_bytes() const override { return inner_->queued_bytes() + plain_.bytes(); }
  [[nodiscard]] int64_t last_progress_ms() const override { return inner_->last_progress_ms(); }
  [[nodiscard]] int64_t last_written_ms() const override { return inner_->last_written_ms(); }
  [[nodiscard]] const std::string& peer() const override { return inner_->peer(); }

  // ---- StreamEvents, of the inner stream
  std::span<char> read_buffer() override { return read_space().first(kReadBytes); }

  void on_read(size_t n) override {
    {
      const std::lock_guard lock(mutex_);
      session_.feed({read_space().data(), n});
    }
    drained_ = false;
    if (accept_) {
      with_room(kHandshakeBytes, [](TlsStream& self) { self.shake_hands(); });
    } else {
      pump();
    }
  }

  void on_turn() override {
    const auto events = events_;
    if (events) events->on_turn();
  }

  void on_drained() override {
    bool drained = false;
    {
      const std::lock_guard lock(mutex_);
      encrypt();
      drained = plain_.empty() && tell_drained_ && !inner_->call_when_drained();
      if (drained) tell_drained_ = false;
    }
    const auto events = events_;
    if (drained && events) events->on_drained();
  }

  void on_closed() override {
    gone_ = true;
    if (account_) account_->close();
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      plain_.clear();
    }
    if (accept_) {
      loop_.cancel(timer_);
      accept_ = nullptr;
      log::debug("TLS handshake with {}: the connection ended", peer());
    }
    const auto events = std::move(events_);
    events_ = nullptr;
    if (events) events->on_closed();
  }

 private:
  // As much as the inner stream should hold, for one turn; on_drained() goes on with the rest. Under mutex_.
  void encrypt() {
    size_t turn_bytes = 0;
    while (!plain_.empty()) {
      if (inner_->queued_bytes() >= kCiphertextBytesMax && inner_->call_when_drained()) return;
      if (turn_bytes >= kTurnBytesMax) return inner_->post([self = shared_from_this()] { self->on_drained(); });
      std::array<BytesView, kSliceParts> parts;
      const auto count = plain_.front(parts, kSliceBytes);
      if (!count.ok()) {
        log::error("TLS connection with {} ends, as what it is to be sent cannot be read: {}", peer(),
                   count.status().message());
        return inner_->abort();
      }
      const std::span<const BytesView> slice(parts.data(), *count);
      const Status status = session_.write(slice);
      send_output();
      size_t bytes = 0;
      for (const BytesView part : slice) bytes += part.size();
      turn_bytes += bytes;
      plain_.pop(bytes);
      if (!status.ok()) return inner_->abort();
      if (plain_.empty() && closing_) end_output();
    }
  }

  // Under mutex_.
  void end_output() {
    session_.close();
    send_output();
    inner_->close_after_writes();
  }

  // Under mutex_: what leaves is in the order in which it was encrypted.
  void send_output() {
    Bytes output = session_.take_output();
    if (output.empty()) return;
    std::vector<Piece> pieces(1);
    pieces[0].owned = std::move(output);
    inner_->write(std::move(pieces));
  }

  // What the session takes. False when there is no room for it. Peers are waited for until their handshake is done.
  [[nodiscard]] bool count(size_t bytes) { return !account_ || account_->hold(bytes, accept_ != nullptr); }

  // During the handshake: goes on when there is room, of which connections that are silent may make some.
  void with_room(size_t bytes, void (*then)(TlsStream&)) {
    if (gone_ || !accept_) return;
    if (count(bytes)) return then(*this);
    if (!make_room_ || !make_room_()) return end_for_memory();
    loop_.schedule(kRoomRetryMs, [weak = weak_from_this(), bytes, then] {
      if (const auto self = weak.lock()) self->inner_->post([self, bytes, then] { self->with_room(bytes, then); });
    });
  }

  void end_for_memory() {
    if (gone_) return;
    if (!accept_) return account_->keep();  // it was done in the meantime
    const int64_t now = system_clock().steady_ms();
    if (now - warned_ms_->exchange(now) >= kWarnEveryMs) {
      log::warn(
          "TLS handshake with {}: not done, nothing has come for {} ms, and all connections take too much memory; "
          "closing the connection, and others of this kind without a word",
          peer(), now - inner_->last_progress_ms());
    }
    inner_->abort();
  }

  void shake_hands() {
    Result<bool> done = false;
    {
      const std::lock_guard lock(mutex_);
      done = session_.handshake();
      send_output();
    }
    if (done.ok() && !*done) return inner_->wait_and_read();
    loop_.cancel(timer_);
    const auto accept = std::move(accept_);
    accept_ = nullptr;
    if (done.ok()) {
      (void)count(kSessionBytes);  // it is less
      return accept(shared_from_this());
    }
    log::warn("TLS handshake with {} failed: {}", peer(), done.status().message());
    inner_->close_after_writes();
  }

  void end_slow_handshake() {
    if (!accept_ || gone_) return;
    log::warn("TLS handshake with {} failed: it was not done in {} ms", peer(), session_.handshake_timeout_ms());
    inner_->abort();
  }

  // Gives decrypted bytes to the user as long as it asks for them.
  void pump() {
    if (pumping_) return;
    pumping_ = true;
    const std::unique_ptr<bool, void (*)(bool*)> restore(&pumping_, [](bool* flag) { *flag = false; });
    while (wanted_ && !gone_ && events_) {
      const auto events = events_;  // they may be replaced in the call
      const std::span<char> into = events->read_buffer();
      if (into.empty()) {
        wanted_ = false;
        return;
      }
      Result<size_t> n = size_t{0};
      {
        const std::lock_guard lock(mutex_);
        n = session_.read(into);
        held_ = session_.held_bytes();
        send_output();
      }
      if (!n.ok()) return end_reading(n.status());
      if (*n == 0) {
        drained_ = true;
        return inner_->wait_and_read();
      }
      wanted_ = false;
      events->on_read(*n);
    }
  }

  void end_reading(const Status& status) {
    const std::lock_guard lock(mutex_);
    if (!session_.closed()) log::warn("TLS connection from {} ended: {}", peer(), status.message());
    if (closing_) return;
    closing_ = true;
    if (plain_.empty()) end_output();
  }

  // Shared with the loop, which calls this stream's events.
  const std::shared_ptr<TcpStream> inner_;
  EventLoop& loop_;
  // Of the loop thread.
  TcpListener::Accept accept_;  // until the handshake is done
  EventLoop::TimerId timer_ = 0;
  std::shared_ptr<StreamEvents> events_;
  size_t held_ = 0;      // by the session, of what was read
  bool wanted_ = false;  // the user has asked for bytes
  bool pumping_ = false;
  bool drained_ = false;  // the session has no more plaintext
  bool gone_ = false;
  const std::function<bool()> make_room_;  // of the listener; may be empty
  // When a warning of the kind that many connections may cause at once was given last; of the listener.
  const std::shared_ptr<std::atomic<int64_t>> warned_ms_;

  std::mutex mutex_;  // guards the session, and the order of its output
  TlsSession session_;
  bool closing_ = false;
  PieceQueue plain_;  // not yet encrypted
  bool tell_drained_ = false;

  std::optional<ConnectionMemory::Account> account_{};  // last: no call to shed() after it
};

}  // namespace

Result<std::unique_ptr<TcpListener>> start_listener(EventLoop& loop, TcpListenerOptions options,
                                                    const std::shared_ptr<const TlsContext>& tls,
                                                    const std::shared_ptr<ConnectionMemory>& memory,
                                                    TcpListener::Accept accept) {
  if (!tls) return TcpListener::start(loop, std::move(options), std::move(accept));
  options.refusal = {};  // no plaintext to a client that awaits TLS
  auto make_room = options.make_room;
  return TcpListener::start(
      loop, std::move(options),
      [&loop, tls, memory, make_room = std::move(make_room),
       warned_ms = std::make_shared<std::atomic<int64_t>>(-kWarnEveryMs),
       accept = std::move(accept)](const std::shared_ptr<TcpStream>& stream) {
        std::make_shared<TlsStream>(stream, loop, tls, memory, make_room, warned_ms, accept)->start();
      });
}

}  // namespace muir::net
