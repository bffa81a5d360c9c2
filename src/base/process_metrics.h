// What the operating system knows about this process, under the names that Prometheus' own libraries use.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"

namespace muir {

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds,
// process_max_fds, process_threads, process_start_time_seconds and muir_build_info, as long as the result lives. What
// the system does not say is left out.
std::unique_ptr<MetricsGroup> process_metrics(MetricsRegistry& registry, const std::string& version);

}  // namespace muir
