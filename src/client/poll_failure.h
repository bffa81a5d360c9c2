// PollFailure: all that a Consumer's poll() can fail with, for a switch.
#pragma once

#include <string_view>

#include "base/status.h"
#include "client/records.h"

namespace muir::client {

// What is told of one partition leaves the others readable: the next poll() goes on with them.
enum class PollFailureKind : unsigned char {
  offset_out_of_range,  // the partition has no such offset (any more) and is not read on until its owner seeks
  unknown_topic,        // the partition does not exist, any more or yet; it is looked for again
  not_authorized,       // the cluster does not let this client read the topic, or does not let it in at all
  damaged,              // the next batch of the partition cannot be read: checksum, compression or framing are wrong
  away,                 // brokers do not answer, or leaders are moving; the consumer goes on trying by itself
  fatal,                // anything else: no answer will be better
};
std::string_view to_string(PollFailureKind kind);

// Immutable in use; copying shares.
struct PollFailure {
  PollFailureKind kind = PollFailureKind::fatal;
  Status status;  // what happened, for people and for those who hand it on; never OK

  // The failure that a status of a client's means. The only place where codes are read for it.
  static PollFailure of(Status status);
  // Whose it is; null: not of one partition.
  [[nodiscard]] const TopicPartition* partition() const { return status.partition(); }
};

}  // namespace muir::client
