// Whether a server could listen somewhere, without doing so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"

namespace muir::net {

// The failure of a listener whose port is taken: already_exists, with EADDRINUSE as the number of Domain::system.
Status port_in_use(const std::string& host, uint16_t port);

// port_in_use() when another program listens on the port; invalid_argument when the host is no address of this
// machine. Port 0 is any free one. Holds only for the moment: another program may be faster than the server.
Status check_port(const std::string& host, uint16_t port);

// As long as another program listens there, `again` is asked whether to look once more; it takes its time to answer.
Status wait_for_port(const std::string& host, uint16_t port, const std::function<bool()>& again);

}  // namespace muir::net
