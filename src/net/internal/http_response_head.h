// The bytes of a response up to its body.
#pragma once

#include "net/http_server.h"

namespace muir::net {

// `say_keep_alive`: to HTTP/1.0, which knows neither that nor chunks.
Bytes http_response_head(const HttpResponse& response, bool keep_alive, bool say_keep_alive);

}  // namespace muir::net
