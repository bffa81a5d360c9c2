// FrameClient: one TCP connection, with TLS or without, that sends frames with a 4-byte length and receives them,
// blocking with deadlines.
//
// Used by the Kafka group-membership and admin clients. Owned by one thread, except abort().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "net/tls.h"

namespace muir::net {

struct FrameClientOptions {
  int64_t connect_timeout_ms = 10'000;
  size_t frame_bytes_max = 100 * 1024 * 1024;
  std::shared_ptr<const TlsContext> tls{};  // shared by all connections of its owner; null: plaintext
};

class FrameClient {
 public:
  static Result<std::unique_ptr<FrameClient>> connect(const std::string& host, uint16_t port,
                                                      FrameClientOptions options = {});
  virtual ~FrameClient() = default;
  // Writes one frame.
  virtual Status send(BytesView payload, int64_t timeout_ms) = 0;
  // Reads one frame. Code::timed_out leaves the connection usable: a later receive goes on where this one stopped.
  virtual Result<Bytes> receive(int64_t timeout_ms) = 0;
  // Makes a blocked and every later call fail with Code::aborted. Thread-safe.
  virtual void abort() = 0;
};

}  // namespace muir::net
