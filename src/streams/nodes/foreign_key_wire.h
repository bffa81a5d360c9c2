// What the two sides of a foreign-key join write to each other, byte for byte as Kafka Streams does; see
// docs/formats/store-keys.md.
#pragma once

#include <memory>
#include <optional>

#include "base/status.h"
#include "serde/erased_serde.h"
#include "streams/nodes/murmur3.h"

namespace muir::streams::internal {

// What becomes of a row's subscription to a row of the other table, and which answer it waits for.
enum class Instruction : unsigned char {
  unsubscribe = 0,             // no answer
  unsubscribe_and_answer = 1,  // that there is nothing
  answer = 2,                  // also that there is nothing
  answer_if_found = 3,
};

// From a row to the row that its foreign key names. Views.
struct Subscription {
  Instruction instruction = Instruction::answer;
  std::optional<Hash128> hash{};  // of the row's value; nothing: it has none
  BytesView primary_key{};
  std::optional<int32_t> partition{};  // where the row is, and the answer goes; nothing: Kafka Streams before 3.3
};
// And back.
struct Answer {
  std::optional<Hash128> hash{};  // that of the subscription
  OptBytesView value{};           // of the other row
};

void append_subscription(const Subscription& subscription, Bytes& out);
Result<Subscription> parse_subscription(BytesView bytes);
void append_answer(const Answer& answer, Bytes& out);
Result<Answer> parse_answer(BytesView bytes);
// What begins the keys of all subscriptions to a foreign key; behind it stands the primary key.
void append_combined_prefix(BytesView foreign_key, Bytes& out);
// The primary key in the key of a subscription.
Result<BytesView> primary_key_of(BytesView combined);
int fuzz_foreign_key_wire(BytesView bytes);

// A value of the topics between the two sides: its bytes, and the partition they go to.
struct Letter {
  Bytes bytes{};
  int32_t partition = -1;  // below 0: by the key
};
std::shared_ptr<ErasedSerde> letter_serde();

}  // namespace muir::streams::internal
