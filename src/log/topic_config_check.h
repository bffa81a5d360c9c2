// Which values a topic's settings may have, by Apache Kafka's rules and in its words.
#pragma once

#include <string_view>

#include "base/status.h"
#include "log/topic_config.h"

namespace muir::storage {

// INVALID_CONFIG when the key does not exist or the value is not one it may have.
Status validate_topic_config(std::string_view name, std::string_view value);
// All that is set for a topic, each by itself and beside what else it will have under `broker` properties. Before it is
// stored.
Status check_topic_config(const Properties& overrides, const Properties& broker);

}  // namespace muir::storage
