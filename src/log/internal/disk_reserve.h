// DiskReserve: a file that is in the way, so that a full disk still takes what frees space.
//
// To delete a topic, to delete records or to shorten a retention, lists and checkpoints are written first. Where there
// is no space for them the file is removed, and made again once there is.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/file.h"

namespace muir::storage {

// Thread-safe.
class DiskReserve {
 public:
  DiskReserve(Env& env, std::string path) : env_(env), path_(std::move(path)) {}

  // Makes the file, of at least so many bytes, unless it is there. When there is no space for it nothing is left of it.
  void fill(uint64_t bytes);
  // Removes it. False when there is none.
  bool give_up();

 private:
  Env& env_;
  const std::string path_;
  std::mutex mutex_;
  uint64_t bytes_ = 0;  // that are known to be there
  bool complained_ = false;
};

}  // namespace muir::storage
