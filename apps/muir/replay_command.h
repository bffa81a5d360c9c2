// `muir vts replay`: posts a recording to a running vehicle tracking system.
#pragma once

#include <string>

#include "apps/muir/settings.h"
#include "apps/muir/stop_signal.h"
#include "apps/vts/replay.h"
#include "base/status.h"

namespace muir::app {

// Prints progress once a second on a terminal's standard error, and a summary at the end; ends early at the stop
// signal.
Status run_replay(const std::string& path, const vts::ReplayOptions& options, Output output, const StopSignal& stop);

}  // namespace muir::app
