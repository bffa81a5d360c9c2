// received_bytes(): what the connections of this process to a port have received, counted by the kernel.
#pragma once

#include <cstdint>

namespace muir::testing {

// The sum over the TCP connections to `port` that are open now; closing one takes its share away.
uint64_t received_bytes(uint16_t port);

}  // namespace muir::testing
