// UnmatchedRecords: the records of a left or outer join of streams that have no partner yet, in the order of their
// times, in Kafka Streams' format: docs/formats/store-keys.md. Owned by one task's thread.
#pragma once

#include <functional>
#include <limits>

#include "store/key_value_store.h"
#include "streams/nodes/operators.h"

namespace muir::streams::internal {

struct UnmatchedKey {
  int64_t timestamp_ms = 0;
  bool left = false;
  BytesView key{};
};
void append_unmatched_key(const UnmatchedKey& key, Bytes& out);
Result<UnmatchedKey> parse_unmatched_key(BytesView bytes);

// A list of values, each with the side it is of.
void append_unmatched_value(bool left, BytesView value, Bytes& list);  // to an empty one, or one that is there
Result<std::vector<BytesView>> parse_unmatched_values(BytesView list);
// Parses arbitrary bytes as both; what is one gives the same bytes again.
int fuzz_unmatched_record(BytesView bytes);

class UnmatchedRecords {
 public:
  UnmatchedRecords() = default;
  explicit UnmatchedRecords(store::KeyValueStore& store) : store_(&store) {}

  // Another value of the key at that time.
  Status add(const UnmatchedKey& key, BytesView value, int64_t now_ms);
  // All values of the key at that time have a partner now, if there were any.
  Status matched(const UnmatchedKey& key, int64_t now_ms);
  // Tells and forgets, in order, those that `closed` says nobody can meet any more; false ends the walk for that side.
  using Closed = std::function<bool(const UnmatchedKey& key)>;
  using Tell = std::function<Status(const UnmatchedKey& key, BytesView value)>;
  Status expire(const Closed& closed, const Tell& tell, int64_t now_ms);
  // The time of the oldest one, or a later one's; none is older. INT64_MAX: there is none.
  [[nodiscard]] int64_t oldest_ms() const { return oldest_ms_; }

 private:
  store::KeyValueStore* store_ = nullptr;
  int64_t oldest_ms_ = std::numeric_limits<int64_t>::max();
  Bytes key_;
  Bytes list_;
  store::ValueAndTimestamp row_;
};

}  // namespace muir::streams::internal
