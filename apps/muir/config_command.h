// `muir config`: every configuration key with the value it has now, where that comes from, and what it means.
#pragma once

#include <string>

#include "apps/muir/settings.h"
#include "base/status.h"

namespace muir::app {

// Answers with the keys whose name, value or meaning holds every word of `word` (all when it is empty), then fails with
// every wrong value there is, whether it was asked for or not, or when they could not be printed. Secrets are hidden.
Status run_config(const Settings& settings, const std::string& word, Output output);

}  // namespace muir::app
