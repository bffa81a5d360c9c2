// FrameServer: a TCP (optionally TLS) server of frames with a 4-byte big-endian length, as Kafka's protocol has.
//
// Used by the broker. For each connection the server reads whole frames and hands them to the session in order, one
// at a time: of a loop thread's connections those have their turn first that have kept it least busy (turns.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/byte_budget.h"
#include "net/connection_memory.h"
#include "net/event_loop.h"
#include "net/piece.h"
#include "net/tls.h"

namespace muir::net {

// One accepted connection. Thread-safe: any thread may send or close.
class FrameConnection {
 public:
  virtual ~FrameConnection() = default;
  // Queues one frame: `payload` is preceded by its length. Several pieces are written as one frame without being
  // joined. Frames leave in the order of the calls.
  virtual void send(Bytes payload) = 0;
  virtual void send(std::vector<Bytes> pieces) = 0;
  // Of pieces that lie in files little is in memory at a time, however slowly the peer reads.
  virtual void send(std::vector<Piece> pieces) = 0;
  // No further frame is handed out until resume_reading(), and little more is read from this peer: back-pressure.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  // False when nothing is queued to be written; else the session's on_drained() follows. How a session waits for a peer
  // that is slow to read.
  [[nodiscard]] virtual bool call_when_drained() = 0;
  // Bytes queued and not yet written.
  [[nodiscard]] virtual size_t send_queue_bytes() const = 0;
  // During on_frame(): what the frame has drawn on the budget, for who keeps the frame when the call returns.
  [[nodiscard]] virtual ByteBudget::Share take_share() = 0;
  // Closes after the queued frames have been written.
  virtual void close() = 0;
  // "127.0.0.1:50312".
  [[nodiscard]] virtual const std::string& peer() const = 0;
};

// What the user of the server makes per connection. Called by one thread at a time.
class FrameSession {
 public:
  virtual ~FrameSession() = default;
  // A whole frame; `frame` is the session's to keep.
  virtual void on_frame(Bytes frame) = 0;
  // Everything queued has been written; once for each call_when_drained() that said true.
  virtual void on_drained() {}
  // The connection is gone; no further call follows.
  virtual void on_closed() = 0;
};

struct FrameServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;                           // 0: any free port
  size_t frame_bytes_max = 100 * 1024 * 1024;  // a longer frame closes the connection with a warning
  size_t connections_max = 10'000;
  // What frames larger than a read buffer draw on, from their first bytes until on_frame() returns or who has taken
  // the share gives it back; a frame that finds no room is not read on. Who is too slow to send a frame while others
  // wait is closed, with a warning. May be shared by servers; null: no limit but that of each connection.
  std::shared_ptr<ByteBudget> frame_budget{};
  int64_t slow_sender_ms = ArrivalWatch::kWindowMs;  // the longest patience with them; see ByteBudget
  // What else connections hold: frames that peers have not read, but for pieces that lie in files; small frames that
  // are not whole; TLS sessions. When it runs out, those who have not read or sent for the longest time are closed,
  // with a warning. May be shared; null: no limit.
  std::shared_ptr<ConnectionMemory> send_memory{};
  // A connection on which nothing has moved for so long is closed, so that peers that are gone do not pile up; 0:
  // never.
  int64_t idle_timeout_ms = 0;
  std::shared_ptr<const TlsContext> tls{};  // shared by all connections; null: plaintext
  // Where muir_net_* are collected, which outlives the server; null: nowhere. `metrics_name` is their label "server".
  MetricsRegistry* metrics = nullptr;
  std::string metrics_name = "frames";
};

class FrameServer {
 public:
  // Called on a loop thread for each accepted connection; with TLS, after its handshake.
  using SessionFactory = std::function<std::unique_ptr<FrameSession>(std::shared_ptr<FrameConnection>)>;

  // Binds and listens before it returns.
  static Result<std::unique_ptr<FrameServer>> start(EventLoop& loop, const FrameServerOptions& options,
                                                    SessionFactory factory);
  virtual ~FrameServer() = default;
  [[nodiscard]] virtual uint16_t port() const = 0;
  // Closes the listener and every connection. Idempotent.
  virtual void stop() = 0;
};

}  // namespace muir::net
