// ProducerIds: where fresh producer ids come from. An id is never given out twice, whatever happens to the machine.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/file.h"
#include "base/kafka_ids.h"
#include "base/status.h"

namespace muir::broker {

// Keeps one small file, which says below what every id may have been given out; ids are reserved in blocks, so that
// only one in a thousand waits for the disk. Thread-safe.
class ProducerIds {
 public:
  // `path` need not exist yet; its folder must.
  ProducerIds(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  ProducerIds(const ProducerIds&) = delete;
  ProducerIds& operator=(const ProducerIds&) = delete;

  Result<ProducerId> next();

  static constexpr int64_t kBlockSize = 1000;

 private:
  Result<int64_t> reserved_on_disk();

  Env& env_;
  const std::string path_;
  std::mutex mutex_;
  int64_t next_ = 0;  // plain numbers: ids are counted here and nowhere else
  int64_t block_end_ = 0;
};

}  // namespace muir::broker
