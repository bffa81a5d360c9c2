#include "net/frame_client.h"

#include <algorithm>

#include "base/clock.h"
#include "base/cursor.h"
#include "net/internal/blocking_socket.h"

namespace muir::net {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr size_t kStepBytes = 64 * 1024;

class Client final : public FrameClient {
 public:
  Client(std::unique_ptr<BlockingSocket> socket, size_t frame_bytes_max)
      : socket_(std::move(socket)), frame_bytes_max_(frame_bytes_max) {}

  Status send(BytesView payload, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(broken_);
    Bytes length;
    ByteWriter(length).i32(static_cast<int32_t>(payload.size()));
    const BytesView parts[] = {length, payload};
    Status status = socket_->write_all(parts, system_clock().steady_ms() + timeout_ms);
    if (!status.ok()) broken_ = status;  // half a frame may have left
    return status;
  }

  Result<Bytes> receive(int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(broken_);
    const int64_t deadline_ms = system_clock().steady_ms() + timeout_ms;
    while (!whole_frame()) {
      const size_t had = buffer_.size();
      buffer_.resize(had + std::max(kStepBytes, std::min(had, missing())));
      const Result<size_t> n = socket_->read_some({buffer_.data() + had, buffer_.size() - had}, deadline_ms);
      buffer_.resize(had + (n.ok() ? *n : 0));
      if (!n.ok()) {
        if (n.status().code() != Code::timed_out) broken_ = n.status();
        return n.status();
      }
      if (buffer_.size() >= kLengthBytes && frame_size() > frame_bytes_max_) {
        broken_ = error(Code::data_loss, "frame from {}: {} bytes announced, at most {} are allowed", socket_->peer(),
                        frame_size(), frame_bytes_max_);
        return broken_;
      }
    }
    const size_t size = frame_size();
    Bytes frame;
    if (buffer_.size() == kLengthBytes + size) {
      frame = std::move(buffer_);
      frame.erase(0, kLengthBytes);
      buffer_.clear();
    } else {
      frame = buffer_.substr(kLengthBytes, size);
      buffer_.erase(0, kLengthBytes + size);
    }
    return frame;
  }

  void abort() override { socket_->abort(); }

 private:
  [[nodiscard]] size_t frame_size() const { return ByteReader(BytesView(buffer_).substr(0, kLengthBytes)).u32(); }
  [[nodiscard]] bool whole_frame() const {
    return buffer_.size() >= kLengthBytes && buffer_.size() - kLengthBytes >= frame_size();
  }
  // Bytes of the current frame still to come; 0 when unknown.
  [[nodiscard]] size_t missing() const {
    return buffer_.size() < kLengthBytes ? 0 : frame_size() + kLengthBytes - buffer_.size();
  }

  std::unique_ptr<BlockingSocket> socket_;
  const size_t frame_bytes_max_;
  Bytes buffer_;
  Status broken_;
};

}  // namespace

Result<std::unique_ptr<FrameClient>> FrameClient::connect(const std::string& host, uint16_t port,
                                                          FrameClientOptions options) {
  auto socket = MUIR_TRY(BlockingSocket::connect(host, port, options.connect_timeout_ms, std::move(options.tls)));
  return std::unique_ptr<FrameClient>(std::make_unique<Client>(std::move(socket), options.frame_bytes_max));
}

}  // namespace muir::net
