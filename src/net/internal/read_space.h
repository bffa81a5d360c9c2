// Where a thread of a loop puts what it has just read, until that has been looked at: all its connections share it, so
// that those that wait hold no buffer.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace muir::net {

inline constexpr size_t kReadSpaceBytes = 64 * 1024;

// The calling thread's. What is in it is gone when the next bytes of any connection are read.
inline std::span<char> read_space() {
  thread_local const std::unique_ptr<char[]> space(new char[kReadSpaceBytes]);
  return {space.get(), kReadSpaceBytes};
}

}  // namespace muir::net
