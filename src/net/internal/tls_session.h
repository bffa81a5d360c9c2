// TlsSession: the TLS side of one connection, without its socket: ciphertext in, ciphertext out. Under the servers'
// TlsStream and the clients' BlockingSocket. Not thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "net/tls.h"

namespace muir::net {

class TlsSession {
 public:
  // `host` is the one that a client asked for: it is sent (SNI) and checked; empty for servers.
  TlsSession(std::shared_ptr<const TlsContext> context, std::string host);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Ciphertext from the peer.
  void feed(BytesView ciphertext);
  // Ciphertext for the peer, to be sent after every call below, failed ones too (they may have made an alert).
  [[nodiscard]] Bytes take_output();

  // True when done, false when more of the peer's bytes are needed. Errors are for people: permission_denied when one
  // side refused the other's certificate, unavailable otherwise.
  Result<bool> handshake();
  // Plaintext into `into`; 0 when more of the peer's bytes are needed. Code::unavailable with closed() after the peer's
  // close_notify, another error when the connection is broken.
  Result<size_t> read(std::span<char> into);
  // Encrypts the pieces one after the other; small ones share a record.
  Status write(std::span<const BytesView> pieces);
  // The last thing to send: close_notify.
  void close();

  // What it holds of the peer's bytes: ciphertext, and a record that is not whole or not read.
  [[nodiscard]] size_t held_bytes() const;
  // The peer said that nothing follows. A connection that ends without it may have been cut.
  [[nodiscard]] bool closed() const;
  // The handshake limit of the context.
  [[nodiscard]] int64_t handshake_timeout_ms() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace muir::net
