// BodyStream: writes the parts of a BodySource to a connection, no faster than its peer reads.
#pragma once

#include <functional>
#include <memory>

#include "net/body_source.h"
#include "net/connection_memory.h"
#include "net/internal/answer_gate.h"
#include "net/internal/tcp_stream.h"

namespace muir::net {

struct BodyStreamOptions {
  bool chunked = true;          // else the end of the connection is that of the body
  size_t unread_bytes_max = 0;  // the next part is made when the peer has so much to read, or less
  // Told on the loop: the source is waited for, or (with the bytes it has to read) the peer; the body is whole.
  std::function<void()> on_source{};
  std::function<void(size_t unread)> on_peer{};
  std::function<void()> on_end{};
};

// On the stream's loop thread. Dropping it drops the source.
class BodyStream : public std::enable_shared_from_this<BodyStream> {
 public:
  BodyStream(std::shared_ptr<TcpStream> stream, std::shared_ptr<BodySource> source,
             std::shared_ptr<ConnectionMemory> memory, std::shared_ptr<AnswerGate> gate, BodyStreamOptions options)
      : stream_(std::move(stream)),
        source_(std::move(source)),
        memory_(std::move(memory)),
        gate_(std::move(gate)),
        options_(std::move(options)) {}

  // At the beginning, and when the stream has drained.
  void go_on();

 private:
  void send(Result<Bytes> part);
  void end();

  const std::shared_ptr<TcpStream> stream_;
  std::shared_ptr<BodySource> source_;
  const std::shared_ptr<ConnectionMemory> memory_;
  const std::shared_ptr<AnswerGate> gate_;
  const BodyStreamOptions options_;
  bool asked_ = false;
};

}  // namespace muir::net
