// The most memory that this process has had in RAM since it was asked to forget.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace muir::testing {

// Where the system cannot, the peak stays that of the process.
inline void forget_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

// 0 when the system does not say.
inline size_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace muir::testing
