// TcpStream and TcpListener: non-blocking sockets on an EventLoop, under the frame and the HTTP server.
//
// A stream belongs to one loop thread: its events are called there, one at a time. Writes go out at once from the
// calling thread when the socket takes them, so that an answer does not wait for a thread to wake.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/event_loop.h"
#include "net/piece.h"

namespace muir::net {

// What happens on a stream; called by its loop thread.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  // Where the next bytes go; valid until on_read() or on_closed(). Empty, which only TcpStream::wait_and_read() allows:
  // not now, it is called again.
  virtual std::span<char> read_buffer() = 0;
  // `n` >= 1 bytes have arrived. The next ones arrive after the next TcpStream::read().
  virtual void on_read(size_t n) = 0;
  // Everything queued has been written; called once for each call_when_drained() that said true.
  virtual void on_drained() {}
  // The peer sends nothing more, and has probably gone: once after TcpStream::watch().
  virtual void on_peer_ended() {}
  // The turn that TcpStream::take_turn() asked for.
  virtual void on_turn() {}
  // The stream is gone, whoever ended it; the last call.
  virtual void on_closed() = 0;
};

class TcpStream {
 public:
  virtual ~TcpStream() = default;

  // On the loop thread.
  virtual void set_events(std::shared_ptr<StreamEvents> events) = 0;
  // Asks for one on_read(); does nothing while one is outstanding.
  virtual void read() = 0;
  // As read(), but read_buffer() is asked when the bytes are there: who waits holds no buffer.
  virtual void wait_and_read() = 0;
  // Looks out for the peer's end while nothing is read, until bytes arrive. Streams of TLS do not.
  virtual void watch() {}
  // Asks for one on_turn(), which comes before the return or later: the thread's time is shared out fairly (turns.h).
  // Where a peer's requests are worked on. Not asked again before it has come.
  virtual void take_turn() = 0;
  // Whether bytes have arrived that were not read yet.
  [[nodiscard]] virtual bool has_input() const = 0;
  // What the stream itself holds of what its peer sends.
  [[nodiscard]] virtual size_t buffer_bytes() const { return 0; }

  // Thread-safe from here on.
  virtual void post(std::function<void()> task) = 0;
  // Queues the pieces in order, together; dropped when the stream is closed or closing.
  virtual void write(std::vector<Piece> pieces) = 0;
  // Writes what is queued, tells the peer that nothing follows, and closes when the peer has, or after a second.
  virtual void close_after_writes() = 0;
  virtual void abort() = 0;
  // False when nothing is queued; else on_drained() follows, on the loop thread. How writers wait for a slow peer.
  [[nodiscard]] virtual bool call_when_drained() = 0;
  [[nodiscard]] virtual size_t queued_bytes() const = 0;
  // Steady time of the last byte read or written.
  [[nodiscard]] virtual int64_t last_progress_ms() const = 0;
  // Steady time of the last byte written: when the peer last made room for it.
  [[nodiscard]] virtual int64_t last_written_ms() const = 0;
  [[nodiscard]] virtual const std::string& peer() const = 0;
};

struct TcpListenerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  size_t connections_max = 10'000;
  // Asked when all connections are taken: whether some of them are about to end, so that a new one is taken. A few more
  // than the maximum may then be there for a moment.
  std::function<bool()> make_room{};
  Bytes refusal{};                     // written to connections beyond the maximum before they are closed
  MetricsRegistry* metrics = nullptr;  // for muir_net_*, see HttpServerOptions
  std::string metrics_name{};
};

// Thread-safe.
class TcpListener {
 public:
  // Called on the new stream's loop thread; sets its events and starts to read.
  using Accept = std::function<void(const std::shared_ptr<TcpStream>&)>;
  // Binds and listens before it returns.
  static Result<std::unique_ptr<TcpListener>> start(EventLoop& loop, TcpListenerOptions options, Accept accept);
  virtual ~TcpListener() = default;
  [[nodiscard]] virtual uint16_t port() const = 0;
  // Closes the listener and all its streams, and returns after their last event (unless called on a loop thread).
  // Idempotent.
  virtual void stop() = 0;
};

}  // namespace muir::net
