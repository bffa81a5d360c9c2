#include "streams/nodes/foreign_key_wire.h"

#include "base/check.h"
#include "base/cursor.h"

namespace muir::streams::internal {
namespace {

constexpr uint8_t kNoHash = 0x80;  // beside the version
constexpr uint8_t kVersionMask = 0x7f;
constexpr uint8_t kSubscriptionVersion = 1;
constexpr uint8_t kAnswerVersion = 0;

void append_hash(uint8_t version, const std::optional<Hash128>& hash, ByteWriter& writer) {
  writer.u8(hash ? version : version | kNoHash);
}
void append_words(const std::optional<Hash128>& hash, ByteWriter& writer) {
  if (!hash) return;
  for (const uint64_t word : *hash) writer.i64(static_cast<int64_t>(word));
}
std::optional<Hash128> read_hash(uint8_t version, ByteReader& reader) {
  if ((version & kNoHash) != 0) return std::nullopt;
  const uint64_t first = reader.be<uint64_t>();
  return Hash128{first, reader.be<uint64_t>()};
}

class LetterSerde final : public ErasedSerde {
 public:
  Status serialize(std::string_view, const void* value, Bytes& out) const override {
    out += static_cast<const Letter*>(value)->bytes;
    return {};
  }
  Status deserialize(std::string_view, BytesView bytes, void* out) const override {
    static_cast<Letter*>(out)->bytes.assign(bytes);
    return {};
  }
};

}  // namespace

void append_subscription(const Subscription& subscription, Bytes& out) {
  ByteWriter writer(out);
  append_hash(subscription.partition ? kSubscriptionVersion : 0, subscription.hash, writer);
  writer.u8(static_cast<uint8_t>(subscription.instruction));
  append_words(subscription.hash, writer);
  writer.bytes(subscription.primary_key);
  if (subscription.partition) writer.i32(*subscription.partition);
}

Result<Subscription> parse_subscription(BytesView bytes) {
  ByteReader reader(bytes);
  const uint8_t head = reader.u8();
  const uint8_t version = head & kVersionMask;
  const uint8_t instruction = reader.u8();
  Subscription out{.instruction = static_cast<Instruction>(instruction), .hash = read_hash(head, reader)};
  const size_t behind = version == 0 ? 0 : sizeof(int32_t);
  if (!reader.ok() || version > kSubscriptionVersion ||
      instruction > static_cast<uint8_t>(Instruction::answer_if_found) || reader.remaining() < behind) {
    return error(Code::data_loss, "foreign-key join: {} bytes that are no subscription, version {}, instruction {}",
                 bytes.size(), version, instruction);
  }
  out.primary_key = reader.bytes(reader.remaining() - behind);
  if (behind > 0) out.partition = reader.i32();
  return out;
}

void append_answer(const Answer& answer, Bytes& out) {
  ByteWriter writer(out);
  append_hash(kAnswerVersion, answer.hash, writer);
  append_words(answer.hash, writer);
  if (answer.value) writer.bytes(*answer.value);
}

// A value without bytes cannot be told from none, in Kafka Streams either.
Result<Answer> parse_answer(BytesView bytes) {
  ByteReader reader(bytes);
  const uint8_t head = reader.u8();
  Answer out{.hash = read_hash(head, reader)};
  if (!reader.ok() || (head & kVersionMask) != kAnswerVersion)
    return error(Code::data_loss, "foreign-key join: {} bytes that are no answer, version {}", bytes.size(),
                 head & kVersionMask);
  if (reader.remaining() > 0) out.value = reader.rest();
  return out;
}

void append_combined_prefix(BytesView foreign_key, Bytes& out) {
  ByteWriter writer(out);
  writer.i32(static_cast<int32_t>(foreign_key.size()));
  writer.bytes(foreign_key);
}

Result<BytesView> primary_key_of(BytesView combined) {
  ByteReader reader(combined);
  const int32_t size = reader.i32();
  if (size < 0) reader.fail();
  reader.skip(reader.ok() ? static_cast<size_t>(size) : 0);
  if (!reader.ok()) return error(Code::data_loss, "foreign-key join: {} bytes that are no key", combined.size());
  return reader.rest();
}

int fuzz_foreign_key_wire(BytesView bytes) {
  int decoded = 0;
  Bytes again;
  if (const auto subscription = parse_subscription(bytes); subscription.ok()) {
    append_subscription(*subscription, again);
    MUIR_CHECK(again == bytes, "subscription {} does not survive its round trip", hex(bytes));
    decoded = 1;
  }
  if (const auto answer = parse_answer(bytes); answer.ok()) {
    again.clear();
    append_answer(*answer, again);
    MUIR_CHECK(again == bytes, "answer {} does not survive its round trip", hex(bytes));
    decoded = 1;
  }
  return primary_key_of(bytes).ok() ? 1 : decoded;
}

std::shared_ptr<ErasedSerde> letter_serde() { return std::make_shared<LetterSerde>(); }

}  // namespace muir::streams::internal
