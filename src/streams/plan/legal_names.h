// What Kafka takes for the names of topics, which names of operators and stores become parts of, and for the keys of
// their settings.
#pragma once

#include <map>
#include <string>

#include "base/status.h"

namespace muir::streams::internal {

[[nodiscard]] bool is_legal_name(const std::string& name);
// Of an operator or a store.
Status check_name(const std::string& name);
// Of the settings of a topic: a key that Kafka does not know would fail only when the topic is created.
Status check_topic_keys(const std::map<std::string, std::string>& configs);

}  // namespace muir::streams::internal
