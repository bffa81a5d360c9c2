// Every message of the tables, type-erased: for tools that walk them all, and for the fuzz entry point.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/status.h"
#include "wire/api_key.h"

namespace muir::wire {

struct MessageInfo {
  std::string_view name;  // "ProduceRequest"
  int16_t version_min;
  int16_t version_max;
  int16_t flexible_since;  // 32767: never
  // Decodes from `reader` and appends the message, encoded again at the same version, to `out`.
  Status (*recode)(ByteReader& reader, int16_t version, Bytes& out);
};

// Requests, responses and data, in the order of the tables.
std::span<const MessageInfo> message_table();

template <class Message>
constexpr MessageInfo message_info() {
  return {Message::kName, Message::kVersionMin, Message::kVersionMax, Message::kFlexibleSince,
          [](ByteReader& reader, int16_t version, Bytes& out) {
            Message message;
            MUIR_RETURN_IF_ERROR(decode(reader, version, message));
            ByteWriter writer(out);
            encode(message, version, writer);
            return Status();
          }};
}

// Decodes outside bytes as the message and in the version that their first two bytes choose, and checks that what
// decodes encodes to something that decodes to the same. Returns 1 for what decodes.
int fuzz_message(BytesView bytes);

}  // namespace muir::wire
