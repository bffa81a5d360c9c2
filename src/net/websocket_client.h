// WebSocketClient: a blocking WebSocket client for tests and tools. Owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "net/tls.h"

namespace muir::net {

class WebSocketClient {
 public:
  // `url` is "ws://host:port/path", or "wss://" with `tls`; null: what the system trusts.
  static Result<std::unique_ptr<WebSocketClient>> connect(const std::string& url, int64_t timeout_ms = 10'000,
                                                          std::shared_ptr<const TlsContext> tls = nullptr);
  virtual ~WebSocketClient() = default;
  virtual Status send_text(const std::string& text) = 0;
  // The next text message; Code::timed_out leaves the connection usable.
  virtual Result<std::string> receive_text(int64_t timeout_ms) = 0;
};

}  // namespace muir::net
