// `muir config`: every configuration key with the value it has now, where that comes from, and what it means.
#pragma once

#include <string>

#include "apps/muir/settings.h"
#include "base/status.h"

namespace muir::app {

// Answers with the keys whose name or meaning holds `word` (all when it is empty), then fails with the first
// wrong value, or when they could not be printed.
// Values that look like secrets are not shown.
Status run_config(const Settings& settings, const std::string& word, Output output);

}  // namespace muir::app
