// Settings: the configuration of one start of the program, from its files, environment and arguments.
#pragma once

#include <map>
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

struct Settings {
  Properties values;
  std::map<std::string, std::string> origins;  // of each value: the file's path, "environment" or "--set"
};

// File, then environment (MUIR_KEY_NAME), then --set. Warns about every key that no part of the program knows, naming
// where it was given and the nearest one that exists.
Result<Settings> gather(const SettingSources& sources);

// Fails with every value that broker, vehicle tracking, Streams or clients would refuse, whichever of them will run.
// `own_broker`: the application's cluster is the broker of the same process, whose limits count too. Writes nothing and
// connects to nothing.
Status check_configuration(const Properties& properties, bool own_broker);

// How results are printed: for people, or as one line of JSON for programs.
enum class Output : unsigned char { table, json };

// The folder `name` ("web/dist", "apps/vts/demo") of the source tree or installation that the running program belongs
// to; empty when there is none.
std::string find_folder(const std::string& name);

}  // namespace muir::app
