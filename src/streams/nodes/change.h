// Change: the value of a repartition topic of a table, what a key has now and what it had before (KIP-904).
#pragma once

#include "base/bytes.h"
#include "base/status.h"

namespace muir::streams::internal {

// At least one of the two is there.
struct Change {
  OptBytesView now{};
  OptBytesView before{};
};

void append_change(const Change& change, Bytes& out);
// Views into `bytes`. Takes every form that Kafka Streams has written.
Result<Change> parse_change(BytesView bytes);
int fuzz_change(BytesView bytes);

}  // namespace muir::streams::internal
