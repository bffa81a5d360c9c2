// The file "muir-topics" of a data folder: which topics exist, with their ids, partition counts and settings.
//
// Apache Kafka keeps this in its metadata log. The format is described in docs/formats/log-segment.md.
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "log/topic_config.h"
#include "wire/uuid.h"

namespace muir::storage {

struct TopicEntry {
  wire::Uuid id;
  int32_t partitions = 1;
  Properties overrides;
  bool operator==(const TopicEntry&) const = default;
};
using TopicEntries = std::map<std::string, TopicEntry>;

Bytes encode_topic_registry(const TopicEntries& topics);
Result<TopicEntries> decode_topic_registry(BytesView text);

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_topic_registry(BytesView input);

}  // namespace muir::storage
