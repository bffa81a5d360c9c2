// Topics that come into being when they are needed: those clients name, and the coordinators' own.
#pragma once

#include "broker/internal/broker_context.h"

namespace muir::broker {

// The topic, made with the broker's defaults (for the coordinators' topics: their own settings) when it is missing.
// Waits for the disk then: not for network threads, unless the topic is known to exist.
Result<storage::TopicPtr> find_or_create_topic(BrokerContext& context, const std::string& name);

// How many files this process may have open.
int64_t open_files_limit();
// The internal topics pass max.partitions, not this: each partition keeps a file open. What could never be opened is
// invalid_argument, to be said at the start.
Status check_internal_room(const BrokerSettings& settings, int64_t open_files);
// The same when one of `more` partitions is made beside those that are there.
Status check_files(int64_t there, int64_t more, int64_t open_files);

}  // namespace muir::broker
