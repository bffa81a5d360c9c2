// The parts of the program and the keys that each declares: for `muir config`, for hints at misspelt keys, and for the
// reference.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"

namespace muir::app {

struct Part {
  std::string name;
  std::vector<ConfigKey> keys;  // by name
  // Whether its keys may be given to the program as they are; those of clients and topics have a prefix.
  bool top_level = true;
};
// Where parts share a key, the first one stands for it. Immutable; thread-safe.
const std::vector<Part>& parts();

// The default as people are told it.
std::string shown_default(const ConfigKey& key);
// The keys of each part as tables in Markdown, each between "<!-- keys: NAME -->" and "<!-- end -->".
std::string reference();

}  // namespace muir::app
