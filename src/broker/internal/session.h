// Session: one client's connection. Requests take effect in their order; answers leave in that order, too.
//
// As in Kafka, a request is looked at when the one before it has been answered: what waits for the disk, for a
// coordinator or for records holds up what follows on its connection, and nothing else. Produce is the exception: its
// batches are appended before the next request is looked at, and only the answer may have to wait for the disk, so that
// a producer's requests share an fsync. While the socket has not taken every answer, no request is looked at.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "broker/internal/broker_context.h"
#include "net/frame_server.h"

namespace muir::broker {

// Makes the session of an accepted connection.
std::unique_ptr<net::FrameSession> make_session(BrokerContext& context, const Listener& listener,
                                                std::shared_ptr<net::FrameConnection> connection);

// The answers of one connection that have not left yet. Thread-safe.
class ReplyQueue : public std::enable_shared_from_this<ReplyQueue> {  // slots of delayed answers outlive the session
 public:
  ReplyQueue(std::shared_ptr<net::FrameConnection> connection, size_t waiting_max)
      : connection_(std::move(connection)), waiting_max_(waiting_max) {}

  using Number = uint64_t;
  // The place of the next request's answer. `holds_up`: until it is filled, no further request is handed out.
  Number reserve(bool holds_up);
  // The request of the newest place has been given to its handler: holds up those that follow, if need be.
  void given();
  // Fills a place; nullopt: there is no answer. Sends every answer whose turn has come.
  void fill(Number number, std::optional<std::vector<net::Piece>> frame);
  // Everything sent has been written.
  void drained();
  void close_connection();
  // The request at this place, which is being handled, holds up those that follow. Returns its share of the budget.
  net::ByteBudget::Share hold_up(Number number);
  [[nodiscard]] bool disconnected();
  // The connection is gone.
  void disconnect();

 private:
  struct Place {
    bool holds_up = false;
    bool ready = false;
    std::optional<std::vector<net::Piece>> frame;
    // That are in memory.
    [[nodiscard]] size_t bytes() const {
      size_t out = 0;
      if (!frame) return 0;
      for (const net::Piece& piece : *frame) out += piece.source ? 0 : piece.size();
      return out;
    }
  };

  // Under mutex_.
  [[nodiscard]] bool must_wait(size_t waiting_max);

  std::mutex mutex_;
  std::shared_ptr<net::FrameConnection> connection_;
  const size_t waiting_max_;
  std::deque<Place> places_;
  Number first_ = 0;        // number of places_.front()
  size_t holding_up_ = 0;   // places that hold up what follows
  size_t ready_bytes_ = 0;  // of answers whose turn has not come
  bool paused_ = false;
};

}  // namespace muir::broker
