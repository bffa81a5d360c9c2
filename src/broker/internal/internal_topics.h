// Topics that come into being when they are needed: those clients name, and the coordinators' own.
#pragma once

#include "broker/internal/broker_context.h"

namespace muir::broker {

// The topic, made with the broker's defaults (for the coordinators' topics: their own settings) when it is missing.
// Waits for the disk then: not for network threads, unless the topic is known to exist.
Result<log::TopicPtr> find_or_create_topic(BrokerContext& context, const std::string& name);

}  // namespace muir::broker
