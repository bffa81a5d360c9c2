// The name under which an instance of the vehicle tracking system is known to its cluster, across restarts.
#pragma once

#include <string>

#include "base/file.h"
#include "base/status.h"

namespace muir::app {

// What `<data_dir>/instance-id` holds; makes folder and file when there are none. Two instances never share a data
// folder, so that its name is theirs alone.
Result<std::string> instance_id(const std::string& data_dir, Env& env);

}  // namespace muir::app
