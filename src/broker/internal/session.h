// Session: one client's connection. Answers leave in the order of the requests, whenever they become ready.
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
  // The place of the next request's answer.
  Number reserve();
  // Fills a place; nullopt: there is no answer. Sends every answer whose turn has come.
  void fill(Number number, std::optional<std::vector<Bytes>> frame);
  void close_connection();
  // The connection is gone.
  void disconnect();

 private:
  struct Place {
    bool ready = false;
    std::optional<std::vector<Bytes>> frame;
  };

  std::mutex mutex_;
  std::shared_ptr<net::FrameConnection> connection_;
  const size_t waiting_max_;
  std::deque<Place> places_;
  Number first_ = 0;  // number of places_.front()
  bool paused_ = false;
};

}  // namespace muir::broker
