// Configurations of topics, changed while others use them. The product has no need of that; its tests have.
#pragma once

#include <string>

#include "base/status.h"

namespace muir::testing {

Status set_topic_config(const std::string& bootstrap_servers, const std::string& topic, const std::string& key,
                        const std::string& value);

}  // namespace muir::testing
