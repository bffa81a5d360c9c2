// What is behind a TlsContext, for TlsSession.
#pragma once

#include "net/tls.h"

// OpenSSL's SSL_CTX.
struct ssl_ctx_st;

namespace muir::net {

struct TlsContext::Impl {
  Impl() = default;
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ssl_ctx_st* context = nullptr;
  bool is_server = false;
  bool check_host = true;
  int64_t handshake_timeout_ms = 0;
};

}  // namespace muir::net
