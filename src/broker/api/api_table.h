// The table of APIs: which versions of which requests the broker serves, and by which function.
#pragma once

#include <span>

#include "broker/api/request.h"

namespace muir::broker {

// Ascending by key.
std::span<const ApiHandler> api_handlers();
const ApiHandler* find_api_handler(int16_t key);

// Handles one frame (without its length), or has it handled by the context's WideRequests. An error means that the
// connection must be closed.
Status dispatch(BrokerContext& context, const Listener& listener, const std::string& peer, Bytes frame,
                std::shared_ptr<ReplySlot> slot);
// Tells of a request that closes its connection.
void refused(BrokerContext& context, const std::string& peer, const Status& why);

}  // namespace muir::broker
