// Settings: the configuration of one start of the program, from its files, environment and arguments.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"

namespace muir::app {

// What the command line gives. Later members win over earlier ones.
struct SettingSources {
  std::string config_file{};       // --config
  std::vector<std::string> set{};  // --set key=value, and the options that stand for a key
};

// File, then environment (MUIR_KEY_NAME), then --set. Warns about every key that no part of the program knows, naming
// the nearest one that exists.
Result<Properties> gather(const SettingSources& sources);

// The folder `name` ("web/dist", "apps/vts/demo") of the source tree or installation that the running program belongs
// to; empty when there is none.
std::string find_folder(const std::string& name);

}  // namespace muir::app
