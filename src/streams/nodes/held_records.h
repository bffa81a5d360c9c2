// HeldRecords: records of a stream that wait for the table they are joined with, in the order of their times and, of
// one time, of their keys; in Kafka Streams' format: docs/formats/store-keys.md. Owned by one task's thread.
#pragma once

#include <functional>
#include <limits>

#include "store/key_value_store.h"

namespace muir::streams::internal {

struct HeldKey {
  int64_t timestamp_ms = 0;
  BytesView key{};
  int32_t sequence = 0;  // tells apart what came with one time and key
};
void append_held_key(const HeldKey& key, Bytes& out);
Result<HeldKey> parse_held_key(BytesView bytes);
// Parses arbitrary bytes; a key must give the same bytes again. Returns 1 for a key.
int fuzz_held_key(BytesView bytes);

class HeldRecords {
 public:
  HeldRecords() = default;
  HeldRecords(store::KeyValueStore& store, int64_t grace_ms) : store_(&store), grace_ms_(grace_ms) {}

  // Finds what the store has. Time is that of the newest record.
  Status load();
  // `value`: a change of docs/formats/store-keys.md. False: the record is older than the grace and is not held.
  Result<bool> hold(BytesView key, BytesView value, int64_t timestamp_ms, int64_t now_ms);
  // Tells and forgets, in order, those that the grace is over for.
  using Tell = std::function<Status(BytesView key, BytesView value)>;
  Status release(const Tell& tell, int64_t now_ms);

 private:
  store::KeyValueStore* store_ = nullptr;
  int64_t grace_ms_ = 0;
  int64_t observed_ms_ = -1;
  int64_t oldest_ms_ = std::numeric_limits<int64_t>::max();  // none is older
  int32_t sequence_ = 0;
  Bytes key_;
};

}  // namespace muir::streams::internal
