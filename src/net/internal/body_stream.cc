#include "net/internal/body_stream.h"

#include <fmt/core.h>

#include <exception>

#include "base/log.h"

namespace muir::net {

void BodyStream::go_on() {
  if (asked_ || !source_) return;
  if (stream_->queued_bytes() > options_.unread_bytes_max) {
    options_.on_peer(stream_->queued_bytes());
    if (stream_->call_when_drained()) return;
  }
  options_.on_source();
  asked_ = true;
  // From any thread, when this or the whole server may have gone.
  auto done = [weak = weak_from_this(), gate = gate_](Result<Bytes> part) {
    const AnswerGate::Passage passage(*gate);
    const auto self = passage ? weak.lock() : nullptr;
    if (self) self->stream_->post([self, part = std::move(part)]() mutable { self->send(std::move(part)); });
  };
  try {
    source_->next(std::move(done));
  } catch (const std::exception& e) {
    log::error("an answer to {} is cut off: {}", stream_->peer(), e.what());
    stream_->abort();
  }
}

void BodyStream::send(Result<Bytes> part) {
  asked_ = false;
  if (!source_) return;
  if (!part.ok()) {
    log::error("an answer to {} is cut off: {}", stream_->peer(), part.status().to_string());
    return stream_->abort();
  }
  if (part->empty()) return end();
  std::vector<Piece> pieces(options_.chunked ? 3 : 1);
  if (options_.chunked) {
    pieces[0].owned = fmt::format("{:x}\r\n", part->size());
    pieces[2].owned = "\r\n";
  }
  pieces[options_.chunked ? 1 : 0].shared = memory_->charge(*std::move(part));
  stream_->write(std::move(pieces));
  go_on();
}

void BodyStream::end() {
  source_.reset();
  if (options_.chunked) {
    std::vector<Piece> last(1);
    last[0].owned = "0\r\n\r\n";
    stream_->write(std::move(last));
  }
  options_.on_end();
}

}  // namespace muir::net
