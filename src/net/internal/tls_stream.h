// TLS between a TcpStream and its user, on the servers' side: the frame and the HTTP server do not know about it.
#pragma once

#include <memory>

#include "net/connection_memory.h"
#include "net/internal/tcp_stream.h"
#include "net/tls.h"

namespace muir::net {

// TcpListener::start() with TLS before `accept`: that one is called once the handshake is done, with a stream of
// plaintext. A handshake that fails or takes too long ends its connection with a warning, and `accept` never hears of
// it. What connections take for TLS alone is counted in `memory`, null: nowhere; when that runs out, those whose
// handshake gets on least are ended. Without a context, the plain listener.
Result<std::unique_ptr<TcpListener>> start_listener(EventLoop& loop, TcpListenerOptions options,
                                                    const std::shared_ptr<const TlsContext>& tls,
                                                    const std::shared_ptr<ConnectionMemory>& memory,
                                                    TcpListener::Accept accept);

}  // namespace muir::net
